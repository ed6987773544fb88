//! Counts deaths of work, and clears the count when the work commits an outcome.

use crate::Context;
use domain::{Id, ids::ProjectId};
use store::{
    Result, Tx,
    suspects::{self, WorkId, WorkKind},
    transact,
};

/// Deaths and panics after which work is parked.
pub(crate) const PARKED: i64 = 3;

pub(crate) fn work<T>(kind: WorkKind, project: ProjectId, id: Id<T>) -> WorkId {
    WorkId { kind, project, subject: id.uuid() }
}

/// Counts a death or a panic, and returns the count. Only work that is certainly the cause reaches
/// [`PARKED`].
pub(crate) async fn add(ctx: &Context, work: WorkId, certain: bool) -> Result<i64> {
    let (now, most) = (ctx.now(), if certain { PARKED } else { PARKED - 1 });
    let deaths = transact!(ctx.store, "suspect.add", tx => suspects::add(tx, work, most, now).await)?;
    ctx.in_flight.set_deaths(work, deaths);
    Ok(deaths)
}

/// Removes the count in the transaction that commits an outcome. Forget it after the commit.
pub(crate) async fn clear_within(ctx: &Context, tx: &mut Tx<'_>, work: WorkId) -> Result<()> {
    if ctx.in_flight.deaths(work) == 0 { Ok(()) } else { suspects::clear(tx, work).await }
}

/// Removes the count of deaths of this work, if it has one.
pub(crate) async fn clear(ctx: &Context, work: WorkId) -> Result<()> {
    if ctx.in_flight.deaths(work) == 0 {
        return Ok(());
    }
    transact!(ctx.store, "suspect.clear", tx => suspects::clear(tx, work).await)?;
    ctx.in_flight.forget(work);
    Ok(())
}
