//! Runs due jobs. A job's work and its removal are one transaction, so it is done once.

use super::Did;
use crate::{Context, sandbox};
use domain::Span;
use store::{Error, jobs, transact, unscoped};

/// Runs the jobs that are due.
pub(super) async fn step(ctx: &Context) -> store::Result<Did> {
    let now = ctx.now();
    let due = {
        let mut reader = ctx.store.read().await?;
        unscoped::due_jobs(&mut reader.conn(), now, super::BATCH).await?
    };
    for row in &due {
        transact!(ctx.store, "job.run", tx => {
            let Some(job) = jobs::claim(tx, *row, now).await? else { return Ok(()) };
            let done = match job.kind.as_str() {
                sandbox::EXPIRE_JOB => sandbox::expire(tx, row.project_id, &job.payload, now).await,
                other => Err(Error::Damaged { what: "job", why: format!("unknown kind {other}") }),
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
    }
    Ok(if due.is_empty() { Did::Nothing } else { Did::Something })
}
