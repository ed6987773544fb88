//! Jobs that call Meta: claimed in one transaction, called with none open, and settled under the
//! job's epoch. The deletion of a project is run in the same way.
//!
//! A worker that dies leaves a lease that expires.

use super::{
    media_download, number_proof, project_delete, read_receipt, retry::postpone, template_refresh, template_sync,
};
use crate::{
    Context, failpoint, suspects,
    worker_step::{BATCH, Did, retry_delay},
};
use domain::{Id, Span, job::JobKind};
use store::{
    Error, Result, due, jobs,
    suspects::WorkKind,
    transact,
    unscoped::{self, DueRow},
};

/// Downloads and deletions have queues of their own: they take long, and nothing else waits behind
/// them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Queue {
    Downloads,
    /// Of projects.
    Deletions,
    Others,
}

impl Queue {
    /// Most jobs at once.
    pub(crate) const fn most(self) -> usize {
        match self {
            Self::Downloads | Self::Others => 16,
            // Two would leave other writes half the time between their transactions.
            Self::Deletions => 1,
        }
    }
}

/// The due jobs of a queue, oldest first.
pub(crate) async fn find_due(ctx: &Context, queue: Queue) -> Result<Vec<DueRow>> {
    let mut reader = ctx.store.read().await?;
    match queue {
        Queue::Downloads => unscoped::due_fetches(&mut reader.conn(), ctx.now(), BATCH).await,
        Queue::Deletions => due::deletions(&mut reader.conn(), ctx.now(), BATCH).await,
        Queue::Others => unscoped::due_calls(&mut reader.conn(), ctx.now(), BATCH).await,
    }
}

/// Runs one due job.
pub(crate) async fn step(ctx: &Context) -> Result<Did> {
    for queue in [Queue::Others, Queue::Downloads, Queue::Deletions] {
        if let Some(due) = find_due(ctx, queue).await?.first() {
            run(ctx, *due).await?;
            return Ok(Did::Something);
        }
    }
    Ok(Did::Nothing)
}

/// Runs a job that was seen as due. Does nothing if another worker was faster.
pub(crate) async fn run(ctx: &Context, due: DueRow) -> Result<()> {
    attempt(ctx, due).await.map(drop)
}

/// As [`run`]. False if the job is not due, or another worker runs it.
pub(crate) async fn attempt(ctx: &Context, due: DueRow) -> Result<bool> {
    let (project, now) = (due.project_id, ctx.now());
    let subject = suspects::work(WorkKind::Job, project, Id::<()>::from_uuid(due.id));
    let _in_flight = ctx.in_flight.enter(subject);
    let job = transact!(ctx.store, "call.claim", tx => {
        let Some(job) = jobs::claim(tx, due, now).await? else { return Ok(None) };
        jobs::hold(tx, project, &job, &ctx.node).await?;
        Ok(Some(job))
    })?;
    let Some(job) = job else { return Ok(false) };
    let key = (project, Id::<()>::from_uuid(job.id), job.epoch);
    let _lease = ctx.jobs.enter(key, ctx.clock.monotonic());
    failpoint::poison("job", || job.payload.as_str());
    let work = async {
        match job.kind.parse() {
            Ok(JobKind::TemplateSync) => template_sync::run(ctx, project, &job).await,
            Ok(JobKind::TemplateRefresh) => template_refresh::run(ctx, project, &job).await,
            Ok(JobKind::ReadReceipt) => read_receipt::run(ctx, project, &job).await,
            Ok(JobKind::NumberProof) => number_proof::run(ctx, project, &job).await,
            Ok(JobKind::ProjectDelete) => project_delete::run(ctx, &job).await,
            Ok(JobKind::MediaFetch) => media_download::run(ctx, project, &job).await,
            _ => Err(Error::Damaged { what: "job", why: format!("unknown kind {}", job.kind) }),
        }
    };
    let done = tokio::select! {
        done = work => done,
        // Nothing was written yet: another node calls again.
        () = ctx.stopping.cancelled() => return postpone(ctx, project, &job, Span::ZERO, "").await.map(|()| true),
    };
    match done {
        Ok(()) => suspects::clear(ctx, subject).await.map(|()| true),
        Err(Error::StaleEpoch) => done.map(|()| true),
        Err(error) => {
            postpone(ctx, project, &job, retry_delay(&error), &error.to_string()).await?;
            Err(error)
        }
    }
}
