//! Jobs that ask or tell Meta something that no turn waits for: a pull of all templates of an account, a look at one, a read
//! receipt, and the download of a person's file.
//!
//! A job is held while Meta is asked, as a test run is while a model is: claimed in one transaction, asked with none open,
//! and what came is written under the job's epoch. A worker that dies leaves a lease that runs out.

use super::{media_fetch, read_receipt, template_refresh, template_sync};
use crate::{
    Context,
    workers::{BATCH, Did, wait_after},
};
use domain::{Id, Span, ids::ProjectId, job::JobKind};
use gateways::whatsapp::CallError;
use store::{
    Error, Result, jobs,
    jobs::JobRow,
    transact,
    unscoped::{self, DueRow},
};

/// Which jobs: downloads take long, and nothing else waits behind them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Calls {
    /// Files of people.
    Fetches,
    /// All others.
    Others,
}

/// The jobs that are due, oldest first.
pub(crate) async fn look(ctx: &Context, calls: Calls) -> Result<Vec<DueRow>> {
    let mut reader = ctx.store.read().await?;
    match calls {
        Calls::Fetches => unscoped::due_fetches(&mut reader.conn(), ctx.now(), BATCH).await,
        Calls::Others => unscoped::due_calls(&mut reader.conn(), ctx.now(), BATCH).await,
    }
}

/// Does one due job.
pub(crate) async fn step(ctx: &Context) -> Result<Did> {
    for calls in [Calls::Others, Calls::Fetches] {
        if let Some(due) = look(ctx, calls).await?.first() {
            run(ctx, *due).await?;
            return Ok(Did::Something);
        }
    }
    Ok(Did::Nothing)
}

/// Does a job that was seen as due. Does nothing if another worker was faster.
pub(crate) async fn run(ctx: &Context, due: DueRow) -> Result<()> {
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
        match job.kind.parse() {
            Ok(JobKind::TemplateSync) => template_sync::run(ctx, project, &job).await,
            Ok(JobKind::TemplateRefresh) => template_refresh::run(ctx, project, &job).await,
            Ok(JobKind::ReadReceipt) => read_receipt::run(ctx, project, &job).await,
            Ok(JobKind::MediaFetch) => media_fetch::run(ctx, project, &job).await,
            _ => Err(Error::Damaged { what: "job", why: format!("unknown kind {}", job.kind) }),
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

pub(super) async fn later(ctx: &Context, project: ProjectId, job: &JobRow, wait: Span, why: &str) -> Result<()> {
    let at = ctx.now() + wait;
    transact!(ctx.store, "call.later", tx => jobs::again(tx, project, job, at, why).await)
}

/// How long until Meta is asked again: as long as it wants, else twice as long each time, from five seconds to 21 minutes.
pub(super) fn pause(attempt: i64, error: &CallError) -> Span {
    match error {
        CallError::Refused { retry_after_ms: Some(ms), .. } => Span::from_millis(*ms),
        _ => Span::from_secs(5 << attempt.clamp(1, 9).saturating_sub(1)),
    }
}
