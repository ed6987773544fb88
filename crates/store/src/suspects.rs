//! Work that was in progress when a process died, or that panicked: one row each, until the work
//! commits an outcome. [`crate::unscoped::suspects`] lists them.

use crate::db::{Result, Tx, rows, run, statements, stored_words};
use domain::{Timestamp, ids::ProjectId, words};
use uuid::Uuid;

words! {
    #[derive(Hash, PartialOrd, Ord)]
    pub enum WorkKind {
        /// A conversation's turn.
        Turn = "turn",
        /// An outbox entry.
        Send = "send",
        /// A test run, by its job.
        TestRun = "test_run",
        Job = "job",
        /// A webhook, by the hash of its body.
        Webhook = "webhook",
        /// A delivery of an outgoing webhook.
        Hook = "hook",
    }
}
stored_words!(WorkKind);

/// Identifies a piece of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkId {
    pub kind: WorkKind,
    pub project: ProjectId,
    pub subject: Uuid,
}

rows! {
    #[derive(Debug, Clone)]
    pub struct SuspectRow {
        pub kind: WorkKind,
        pub project_id: ProjectId,
        pub subject_id: Uuid,
        /// Deaths and panics since the work last committed an outcome.
        pub deaths: i64,
        pub parked_at: Option<Timestamp>,
    }
}

impl SuspectRow {
    pub const fn work(&self) -> WorkId {
        WorkId { kind: self.kind, project: self.project_id, subject: self.subject_id }
    }
}

statements! {
    // Work that stood next to other work at a death stays below `$5`: only work that ran alone, or
    // that panicked, is certainly the cause.
    ADD = ["INSERT INTO suspects (project_id, kind, subject_id, deaths, updated_at) VALUES ($1, $2, $3, 1, $4) \
            ON CONFLICT (project_id, kind, subject_id) DO UPDATE SET \
            deaths = CASE WHEN suspects.parked_at IS NOT NULL THEN 1 WHEN suspects.deaths < $5 THEN suspects.deaths + 1 \
                ELSE suspects.deaths END, \
            parked_at = NULL, updated_at = excluded.updated_at \
            RETURNING deaths"];
    CLEAR = ["DELETE FROM suspects WHERE project_id = $1 AND kind = $2 AND subject_id = $3 AND parked_at IS NULL"];
    PARK = ["UPDATE suspects SET parked_at = $4, updated_at = $4 WHERE project_id = $1 AND kind = $2 AND subject_id = $3"];
}

/// Counts a death up to `most`, and returns the count.
pub async fn add(tx: &mut Tx<'_>, work: WorkId, most: i64, now: Timestamp) -> Result<i64> {
    Ok(run!(tx, ADD, [work.project, work.kind, work.subject, now, most], fetch_one as (i64,))?.0)
}

/// Removes the row, because the work has committed an outcome. The row of parked work stays: a
/// conversation may have new work.
pub async fn clear(tx: &mut Tx<'_>, work: WorkId) -> Result<()> {
    run!(tx, CLEAR, [work.project, work.kind, work.subject], execute).map(drop)
}

/// Marks the work as failed for good.
pub async fn park(tx: &mut Tx<'_>, work: WorkId, now: Timestamp) -> Result<()> {
    run!(tx, PARK, [work.project, work.kind, work.subject, now], execute).map(drop)
}
