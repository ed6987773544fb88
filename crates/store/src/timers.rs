//! Timers of executions at rest: at most one each, replaced by the next. The generation tells a late one from the one
//! that is meant.

use crate::{unscoped::DueRow, db::{Result, Tx, rows, run, statements}};
use domain::{Timestamp, ids::{ConversationId, ExecutionId, ProjectId}};

rows! {
    /// A fired timer.
    #[derive(Debug, Clone)]
    pub struct TimerRow {
        /// `warm_end` or `inactivity`.
        pub kind: String,
        pub conversation_id: ConversationId,
        pub execution_id: ExecutionId,
        /// Which rest it belongs to.
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

/// Sets the execution's timer, replacing the one it had.
pub async fn set(
    tx: &mut Tx<'_>,
    project: ProjectId,
    (conversation, execution): (ConversationId, ExecutionId),
    (kind, generation): (&str, i64),
    fire_at: Timestamp,
) -> Result<()> {
    run!(tx, SET, [project, execution, kind, conversation, generation, fire_at], execute).map(drop)
}

/// Removes the execution's timer.
pub async fn clear(tx: &mut Tx<'_>, project: ProjectId, execution: ExecutionId) -> Result<()> {
    run!(tx, CLEAR, [project, execution], execute).map(drop)
}

/// Takes a due timer; `None` if somebody else did or it was moved.
pub async fn take(tx: &mut Tx<'_>, due: DueRow, now: Timestamp) -> Result<Option<TimerRow>> {
    run!(tx, TAKE, [due.project_id, due.id, now], fetch_optional as TimerRow)
}

/// Puts off a due timer that could not be fired, so that it stands in nobody's way.
pub async fn postpone(tx: &mut Tx<'_>, due: DueRow, now: Timestamp, until: Timestamp) -> Result<()> {
    run!(tx, POSTPONE, [due.project_id, due.id, now, until], execute).map(drop)
}
