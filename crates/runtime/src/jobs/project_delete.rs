//! Deletes all rows of a project in small transactions.
//!
//! The job belongs to the platform, as nothing of the project is left at the end. Each transaction
//! renews the job's lease under its epoch, so of two nodes one deletes; one that continues after a
//! crash finds the tables as they are.

use crate::{Context, context::PLATFORM_PROJECT, failpoint};
use domain::{Span, Timestamp, ids::ProjectId, job::JobKind};
use std::time::Duration;
use store::{
    Error, Result, Tx,
    audit::{self, AuditRow},
    jobs::{self, JobRow, NewJob},
    project_deletion::{self, Deleted},
    projects, transact,
};
use uuid::Uuid;

/// Shortest pause between two transactions, for the other writers.
const PAUSE: Duration = Duration::from_millis(10);
/// Pause for each unit of time that a transaction took: a deletion has a quarter of the writer.
const PAUSE_RATIO: u32 = 3;
/// Time until the tables are looked at once more: a transaction that was open when the project's row
/// went may have added a row.
const LAST_LOOK: Span = Span::from_mins(1);

/// Marks a project as being deleted, if this is its name, and stores the job that deletes it. The
/// audit row belongs to the platform, as the project's own audit log goes with it.
pub async fn begin(
    tx: &mut Tx<'_>,
    project: ProjectId,
    name: &str,
    job: Uuid,
    audit: &AuditRow,
    now: Timestamp,
) -> Result<bool> {
    if project == PLATFORM_PROJECT || !projects::mark_deleted(tx, project, name, now).await? {
        return Ok(false);
    }
    projects::insert(tx, PLATFORM_PROJECT, "sandbox", now).await?;
    audit::append(tx, PLATFORM_PROJECT, audit).await?;
    let key = project.to_string();
    let job = NewJob { id: job, kind: JobKind::ProjectDelete, key: &key, payload: &key, run_at: now };
    jobs::put(&mut tx.scope(PLATFORM_PROJECT, now), job).await?;
    Ok(true)
}

pub(super) async fn run(ctx: &Context, job: &JobRow) -> Result<()> {
    let project: ProjectId =
        job.payload.parse().map_err(|_| Error::Damaged { what: "job", why: "not a project id".into() })?;
    let mut first = 0;
    loop {
        let began = ctx.clock.monotonic();
        let deleted = delete_some(ctx, project, job, first).await?;
        let took = ctx.clock.monotonic().saturating_sub(began);
        first = match deleted {
            Some(deleted) => deleted.table,
            // Rows may have come into tables that were empty.
            None if first > 0 => 0,
            None => break,
        };
        tokio::time::sleep((took * PAUSE_RATIO).max(PAUSE)).await;
    }
    let at = ctx.now() + LAST_LOOK;
    let is_last_look = transact!(ctx.store, "project.deleted", tx => {
        match projects::remove(tx, project).await? {
            true => jobs::again(tx, PLATFORM_PROJECT, job, at, "").await.map(|()| false),
            false => jobs::finish(tx, PLATFORM_PROJECT, job).await.map(|()| true),
        }
    })?;
    if !is_last_look {
        tracing::info!(%project, "project deleted");
    }
    Ok(())
}

async fn delete_some(ctx: &Context, project: ProjectId, job: &JobRow, first: usize) -> Result<Option<Deleted>> {
    let deleted = transact!(ctx.store, "project.delete_rows", tx => {
        jobs::hold(tx, PLATFORM_PROJECT, job, &ctx.node).await?;
        let deleted = project_deletion::delete_some(tx, project, first).await?;
        failpoint::reach("deletion.commit");
        Ok(deleted)
    })?;
    failpoint::reach("deletion.committed");
    if let Some(deleted) = deleted {
        metrics::counter!("chasqui_project_rows_deleted_total").increment(deleted.rows);
    }
    Ok(deleted)
}
