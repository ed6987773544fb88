//! The evidence of an execution: for each step, the inputs that the engine was fed and the effects
//! that came out.
//!
//! An effect is begun by the row that lists it and done by the row whose inputs hold its outcome
//! (docs/decisions/0003-work-tables-in-the-database.md).

use crate::{db::{Conn, Result, Tx, rows, run, statements}, search};
use domain::{Timestamp, ids::{ExecutionId, ProjectId}};

rows! {
    /// One step.
    #[derive(Debug, Clone)]
    pub struct JournalRow {
        /// From 1, without gaps.
        pub step_no: i64,
        /// The epoch that wrote the step.
        pub epoch: i64,
        /// The format of the two texts.
        pub format: i64,
        /// JSON of the engine's inputs.
        pub inputs: String,
        /// JSON of the effects.
        pub effects: String,
        /// JSON: what happened, for people.
        pub events: String,
        pub at: Timestamp,
    }
}

rows! {
    /// The events of one step.
    #[derive(Debug, Clone)]
    pub struct StepEvents {
        pub step_no: i64,
        pub at: Timestamp,
        /// JSON, not empty.
        pub events: String,
    }
}

statements! {
    DAMAGE = ["UPDATE journal SET inputs = replace(inputs, $3, $4) WHERE project_id = $1 AND execution_id = $2"];
    APPEND = ["INSERT INTO journal (project_id, execution_id, step_no, epoch, format, inputs, effects, events, at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"];
    READ = ["SELECT ", JournalRow, " FROM journal WHERE project_id = $1 AND execution_id = $2 AND step_no > $3 \
             ORDER BY step_no LIMIT 500"];
    STEP = ["SELECT ", JournalRow, " FROM journal WHERE project_id = $1 AND execution_id = $2 AND step_no = $3"];
    // The text of an id may also stand in another input, which the caller passes over.
    INPUTS_WITH = ["SELECT inputs FROM journal WHERE project_id = $1 AND execution_id = $2 AND step_no > $3 \
                    AND inputs LIKE $4 ESCAPE '\\' ORDER BY step_no LIMIT 10"];
    EVENTS = ["SELECT ", StepEvents, " FROM journal WHERE project_id = $1 AND execution_id = $2 AND step_no > $3 AND events <> '[]' \
               ORDER BY step_no LIMIT $4"];
    DAMAGE_EVENTS = ["UPDATE journal SET events = 'damaged' WHERE project_id = $1 AND execution_id = $2 AND step_no = $3"];
}

/// [`crate::Error::Conflict`] if the step exists.
pub async fn append(tx: &mut Tx<'_>, project: ProjectId, execution: ExecutionId, row: &JournalRow) -> Result<()> {
    run!(tx, APPEND, [project, execution, row.step_no, row.epoch, row.format, row.inputs, row.effects, row.events, row.at],
        execute).map(drop)
}

/// The steps after `after`, in order, at most 500.
pub async fn read(conn: &mut Conn<'_>, project: ProjectId, execution: ExecutionId, after: i64) -> Result<Vec<JournalRow>> {
    run!(conn, READ, [project, execution, after], fetch_all as JournalRow)
}

/// One step.
pub async fn step(conn: &mut Conn<'_>, project: ProjectId, execution: ExecutionId, step_no: i64) -> Result<Option<JournalRow>> {
    run!(conn, STEP, [project, execution, step_no], fetch_optional as JournalRow)
}

/// Inputs of the first steps after `after` in which a text occurs, in any case.
pub async fn inputs_with(
    conn: &mut Conn<'_>,
    project: ProjectId,
    execution: ExecutionId,
    after: i64,
    text: &str,
) -> Result<Vec<String>> {
    let pattern = search::containing(text);
    let rows = run!(conn, INPUTS_WITH, [project, execution, after, pattern], fetch_all as (String,))?;
    Ok(rows.into_iter().map(|(inputs,)| inputs).collect())
}

/// The steps after `after` that have events, in order.
pub async fn events(
    conn: &mut Conn<'_>,
    project: ProjectId,
    execution: ExecutionId,
    after: i64,
    limit: i64,
) -> Result<Vec<StepEvents>> {
    run!(conn, EVENTS, [project, execution, after, limit], fetch_all as StepEvents)
}

/// Makes the events of a step unreadable: for tests that prove that a step is not read.
#[doc(hidden)]
pub async fn damage_events(tx: &mut Tx<'_>, project: ProjectId, execution: ExecutionId, step_no: i64) -> Result<u64> {
    run!(tx, DAMAGE_EVENTS, [project, execution, step_no], execute)
}

/// Replaces a text in the stored inputs of an execution: for tests that prove that damage is found.
#[doc(hidden)]
pub async fn damage(tx: &mut Tx<'_>, project: ProjectId, execution: ExecutionId, from: &str, to: &str) -> Result<u64> {
    run!(tx, DAMAGE, [project, execution, from, to], execute)
}
