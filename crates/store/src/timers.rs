//! Timers of waiting executions, at most one each. The generation distinguishes a late one from the
//! current one.

use crate::{unscoped::DueRow, db::{Result, Tx, rows, run, statements, stored_words}};
use domain::{Timestamp, execution::TimerKind, ids::{ConversationId, ExecutionId, ProjectId}};

stored_words!(TimerKind);

rows! {
    #[derive(Debug, Clone, Copy)]
    pub struct TimerRow {
        pub kind: TimerKind,
        pub conversation_id: ConversationId,
        pub execution_id: ExecutionId,
        /// Raised each time the execution begins to wait.
        pub generation: i64,
    }
}

statements! {
    SET = ["INSERT INTO timers (project_id, id, kind, conversation_id, execution_id, generation, fire_at) VALUES ($1, $2, $3, $4, $2, $5, $6) \
            ON CONFLICT (project_id, id) DO UPDATE SET kind = excluded.kind, generation = excluded.generation, fire_at = excluded.fire_at"];
    CLEAR = ["DELETE FROM timers WHERE project_id = $1 AND id = $2"];
    TAKE = ["DELETE FROM timers WHERE project_id = $1 AND id = $2 AND fire_at <= $3 RETURNING ", TimerRow];
    POSTPONE = ["UPDATE timers SET fire_at = $4 WHERE project_id = $1 AND id = $2 AND fire_at <= $3"];
}

/// Replaces the execution's timer.
pub async fn set(tx: &mut Tx<'_>, project: ProjectId, t: &TimerRow, fire_at: Timestamp) -> Result<()> {
    run!(tx, SET, [project, t.execution_id, t.kind, t.conversation_id, t.generation, fire_at], execute).map(drop)
}

pub async fn clear(tx: &mut Tx<'_>, project: ProjectId, execution: ExecutionId) -> Result<()> {
    run!(tx, CLEAR, [project, execution], execute).map(drop)
}

/// Deletes and returns a due timer; `None` if another worker did, or it was moved.
pub async fn take(tx: &mut Tx<'_>, due: DueRow, now: Timestamp) -> Result<Option<TimerRow>> {
    run!(tx, TAKE, [due.project_id, due.id, now], fetch_optional as TimerRow)
}

/// Postpones a due timer whose transaction failed, so that it does not block others.
pub async fn postpone(tx: &mut Tx<'_>, due: DueRow, now: Timestamp, until: Timestamp) -> Result<()> {
    run!(tx, POSTPONE, [due.project_id, due.id, now, until], execute).map(drop)
}
