//! Jobs that need no network. The work and the removal of the job are one transaction, so it is
//! done once.

use super::held_messages;
use crate::{
    Context,
    media::uploads,
    ownership, sandbox, suspects,
    worker_step::{BATCH, Did, retry_delay},
};
use domain::{Id, Span, Timestamp, job::JobKind};
use store::{
    Error, jobs,
    suspects::WorkKind,
    transact,
    unscoped::{self, DueRow},
};

/// Runs the jobs that are due. A job that fails is postponed; an error means that it could not be
/// postponed either.
pub(crate) async fn step(ctx: &Context) -> store::Result<Did> {
    let now = ctx.now();
    let due = {
        let mut reader = ctx.store.read().await?;
        unscoped::due_jobs(&mut reader.conn(), now, BATCH).await?
    };
    for row in &due {
        if let Err(error) = run(ctx, *row, now).await {
            tracing::warn!(job = %row.id, %error, "job failed; it is postponed");
            let (until, why) = (now + retry_delay(&error), error.to_string());
            transact!(ctx.store, "job.postpone", tx => jobs::postpone(tx, *row, now, until, &why).await)?;
        }
    }
    Ok(if due.is_empty() { Did::Nothing } else { Did::Something })
}

pub(super) async fn run(ctx: &Context, row: DueRow, now: Timestamp) -> store::Result<()> {
    let subject = suspects::work(WorkKind::Job, row.project_id, Id::<()>::from_uuid(row.id));
    let _in_flight = ctx.in_flight.enter(subject);
    transact!(ctx.store, "job.run", tx => {
        let Some(job) = jobs::claim(tx, row, now).await? else { return Ok(()) };
        let done = match job.kind.parse() {
            Ok(JobKind::SandboxSessionExpire) => sandbox::expire(ctx, tx, row.project_id, &job.payload).await,
            Ok(JobKind::UploadExpire) => uploads::expire(tx, row.project_id, &job.payload).await,
            Ok(JobKind::PhoneReplyPause) => {
                match ownership::pause_is_due(ctx, tx, row.project_id, &job.payload, now).await {
                    Ok(Some(until)) => return jobs::again(tx, row.project_id, &job, until, "").await,
                    done => done.map(drop),
                }
            }
            Ok(JobKind::HeldMessages) => match held_messages::run(ctx, tx, row.project_id, &job).await {
                Ok(true) => return jobs::again(tx, row.project_id, &job, now, "").await,
                done => done.map(drop),
            },
            _ => Err(Error::Damaged { what: "job", why: format!("unknown kind {}", job.kind) }),
        };
        match done {
            Ok(()) => jobs::finish(tx, row.project_id, &job).await,
            Err(error @ Error::Damaged { .. }) => {
                let wait = Span::from_mins(1) * (1 << job.attempt.clamp(0, 10));
                jobs::again(tx, row.project_id, &job, now + wait, &error.to_string()).await
            }
            Err(error) => Err(error),
        }
    })?;
    ctx.wake.notify_one();
    suspects::clear(ctx, subject).await
}
