//! Jobs that ask or tell Meta something that no turn waits for: a pull of all templates of an account, a look at one, a read
//! receipt, and the download of a person's file.
//!
//! A job is held while Meta is asked, as a test run is while a model is: claimed in one transaction, asked with none open,
//! and what came is written under the job's epoch. A worker that dies leaves a lease that runs out.

mod fetch;
mod receipt;
mod refresh;
mod sync;

use super::{Did, wait_after};
use crate::{
    Context,
    media::FETCH_JOB,
    templates::{REFRESH_JOB, SYNC_JOB},
};
use domain::{Id, Span, ids::ProjectId};
use gateways::whatsapp::CallError;
use store::{
    Error, Result, jobs,
    jobs::JobRow,
    transact,
    unscoped::{self, DueRow},
};

pub(crate) use receipt::{RECEIPT_JOB, Receipt};

/// Which jobs: downloads take long, and nothing else waits behind them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Calls {
    /// Files of people.
    Fetches,
    /// All others.
    Others,
}

/// The jobs that are due, oldest first.
pub(super) async fn look(ctx: &Context, calls: Calls) -> Result<Vec<DueRow>> {
    let mut reader = ctx.store.read().await?;
    match calls {
        Calls::Fetches => unscoped::due_fetches(&mut reader.conn(), ctx.now(), super::BATCH).await,
        Calls::Others => unscoped::due_calls(&mut reader.conn(), ctx.now(), super::BATCH).await,
    }
}

/// Does one due job.
pub(super) async fn step(ctx: &Context) -> Result<Did> {
    for calls in [Calls::Others, Calls::Fetches] {
        if let Some(due) = look(ctx, calls).await?.first() {
            run(ctx, *due).await?;
            return Ok(Did::Something);
        }
    }
    Ok(Did::Nothing)
}

/// Does a job that was seen as due. Does nothing if another worker was faster.
pub(super) async fn run(ctx: &Context, due: DueRow) -> Result<()> {
    let (project, now) = (due.project_id, ctx.now());
    let job = transact!(ctx.store, "call.claim", tx => {
        let Some(job) = jobs::claim(tx, due, now).await? else { return Ok(None) };
        jobs::hold(tx, project, &job, &ctx.node).await?;
        Ok(Some(job))
    })?;
    let Some(job) = job else { return Ok(()) };
    let key = (project, Id::<()>::from_uuid(job.id), job.epoch);
    let _under_way = ctx.jobs.enter(key, ctx.clock.monotonic());
    let work = async {
        match job.kind.as_str() {
            SYNC_JOB => sync::run(ctx, project, &job).await,
            REFRESH_JOB => refresh::run(ctx, project, &job).await,
            RECEIPT_JOB => receipt::run(ctx, project, &job).await,
            FETCH_JOB => fetch::run(ctx, project, &job).await,
            other => Err(Error::Damaged { what: "job", why: format!("unknown kind {other}") }),
        }
    };
    let done = tokio::select! {
        done = work => done,
        // Nothing was written yet: another node asks again.
        () = ctx.stopping.cancelled() => return later(ctx, project, &job, Span::ZERO, "").await,
    };
    match done {
        Ok(()) | Err(Error::StaleEpoch) => done,
        Err(error) => {
            later(ctx, project, &job, wait_after(&error), &error.to_string()).await?;
            Err(error)
        }
    }
}

async fn later(ctx: &Context, project: ProjectId, job: &JobRow, wait: Span, why: &str) -> Result<()> {
    let at = ctx.now() + wait;
    transact!(ctx.store, "call.later", tx => jobs::again(tx, project, job, at, why).await)
}

/// How long until Meta is asked again: as long as it wants, else twice as long each time, from five seconds to 21 minutes.
fn pause(attempt: i64, error: &CallError) -> Span {
    match error {
        CallError::Refused { retry_after_ms: Some(ms), .. } => Span::from_millis(*ms),
        _ => Span::from_secs(5 << attempt.clamp(1, 9).saturating_sub(1)),
    }
}
