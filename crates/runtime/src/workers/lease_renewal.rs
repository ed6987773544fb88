//! Renews the leases of work that takes longer than one lease.

use crate::Context;
use domain::Id;
use store::{conversations, jobs, outbox, transact};

/// Renews the leases of this node's work; to be called every three seconds.
///
/// Sends come before turns, because settling a send locks its row before its conversation.
pub async fn renew_leases(ctx: &Context) -> store::Result<()> {
    let now = ctx.clock.monotonic();
    let (sends, turns, jobs) = (ctx.sends.to_renew(now), ctx.turns.to_renew(now), ctx.jobs.to_renew(now));
    if sends.is_empty() && turns.is_empty() && jobs.is_empty() {
        return Ok(());
    }
    transact!(ctx.store, "leases.renew", tx => {
        for (project, id, epoch) in &sends {
            outbox::renew(tx, *project, Id::from_uuid(*id), *epoch).await?;
        }
        for (project, id, epoch) in &turns {
            conversations::renew(tx, *project, Id::from_uuid(*id), *epoch).await?;
        }
        for (project, id, epoch) in &jobs {
            jobs::renew(tx, *project, *id, *epoch).await?;
        }
        Ok(())
    })
}
