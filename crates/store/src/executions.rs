//! Executions: runs of an agent, with the engine's state.

use crate::{Conn, Result, Tx, counters::{self, List}, db::row::rows, db::sql::{count, filtered, run, statements}};
use domain::{Timestamp, execution::ExecutionStatus, ids::{AgentId, ContactId, ConversationId, ExecutionId, ProjectId, SnapshotId}};
use uuid::Uuid;

rows! {
    /// What the API shows of an execution.
    #[derive(Debug, Clone)]
    pub struct ExecutionRow {
        /// Its id.
        pub id: ExecutionId,
        /// The agent that runs.
        pub agent_id: AgentId,
        /// The conversation it works on.
        pub conversation_id: ConversationId,
        /// `started` and so on.
        pub status: String,
        /// The node it stands in.
        pub node: String,
        /// Why a person was asked for.
        pub handoff_reason: Option<String>,
        /// Why it ended.
        pub end_reason: Option<String>,
        /// JSON of the error.
        pub error: Option<String>,
        /// When it was made.
        pub started_at: Timestamp,
        /// When it was over.
        pub ended_at: Option<i64>,
        /// When it was made.
        pub created_at: Timestamp,
        /// When it changed.
        pub updated_at: Timestamp,
    }
}

rows! {
    /// What a step needs of an execution.
    #[derive(Debug, Clone)]
    pub struct StateRow {
        /// The pinned content.
        pub snapshot_id: SnapshotId,
        /// `started` and so on.
        pub status: String,
        /// The engine's state, JSON.
        pub state: String,
        /// Its format.
        pub state_format: i64,
        /// Steps done.
        pub step_no: i64,
    }
}

rows! {
    /// The same for a step on a conversation.
    #[derive(Debug, Clone)]
    pub struct StepRow {
        /// The pinned content.
        pub snapshot_id: SnapshotId,
        /// `started` and so on.
        pub status: String,
        /// The engine's state, JSON.
        pub state: String,
        /// Its format.
        pub state_format: i64,
        /// Steps done.
        pub step_no: i64,
        /// When it was over.
        pub ended_at: Option<i64>,
        /// Which state of the contact there is to be known.
        pub about_version: Option<i64>,
    }
}

/// A new execution.
#[derive(Debug, Clone)]
pub struct NewExecution<'a> {
    /// Its id.
    pub id: ExecutionId,
    /// The agent that runs.
    pub agent: AgentId,
    /// The pinned content.
    pub snapshot: SnapshotId,
    /// The conversation it works on.
    pub conversation: ConversationId,
    /// `+` and digits.
    pub phone_number: Option<&'a str>,
    /// Now.
    pub now: Timestamp,
}

/// What a step leaves in its execution.
#[derive(Debug, Clone)]
pub struct Saved<'a> {
    /// Its status, if that is another than the stored one.
    pub entered: Option<ExecutionStatus>,
    /// The node it stands in.
    pub node: &'a str,
    /// Why a person was asked for.
    pub handoff_reason: Option<&'a str>,
    /// Why it ended.
    pub end_reason: Option<&'a str>,
    /// JSON of the error.
    pub error: Option<&'a str>,
    /// The engine's state, JSON.
    pub state: &'a str,
    /// Its format.
    pub state_format: i64,
    /// Steps done.
    pub step_no: i64,
    /// Now.
    pub now: Timestamp,
}

/// Which executions a list shows.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Exact status.
    pub status: Option<String>,
    /// Started at or after.
    pub started_from: Option<Timestamp>,
    /// Started at or before.
    pub started_to: Option<Timestamp>,
    /// Over at or after.
    pub ended_from: Option<Timestamp>,
    /// Over at or before.
    pub ended_to: Option<Timestamp>,
    /// Exact number, `+` and digits.
    pub phone_number: Option<String>,
}

statements! {
    BEGIN_WITH = ["UPDATE executions SET state = $3, state_format = $4, step_no = $5, began_with = $6 \
                  WHERE project_id = $1 AND id = $2 AND began_with IS NULL RETURNING agent_id"];
    BEGAN_WITH = ["SELECT began_with FROM executions WHERE project_id = $1 AND id = $2 AND began_with IS NOT NULL"];
    INSERT = ["INSERT INTO executions (project_id, id, agent_id, snapshot_id, conversation_id, phone_number, status, node, state, \
               state_format, step_no, started_at, created_at, updated_at) \
               VALUES ($1, $2, $3, $4, $5, $6, 'started', '__start__', '', 0, 0, $7, $7, $7)"];
    STATE = ["SELECT snapshot_id, status, state, state_format, step_no FROM executions WHERE project_id = $1 AND id = $2"];
    STEP = ["SELECT snapshot_id, status, state, state_format, step_no, ended_at, \
             (SELECT about_version FROM contacts WHERE project_id = $1 AND id = $3) AS about_version \
             FROM executions WHERE project_id = $1 AND id = $2"];
    SAVE = ["UPDATE executions SET node = $3, handoff_reason = $4, end_reason = $5, error = $6, state = $7, state_format = $8, \
             step_no = $9, updated_at = $10 WHERE project_id = $1 AND id = $2"];
    // Apart from [`SAVE`]: the status stands in two indexes, and not every step changes it.
    SAVE_AS = ["UPDATE executions SET node = $3, handoff_reason = $4, end_reason = $5, error = $6, state = $7, state_format = $8, \
                step_no = $9, updated_at = $10, status = $11, ended_at = CASE WHEN $12 THEN CAST($10 AS BIGINT) ELSE NULL END \
                WHERE project_id = $1 AND id = $2"];
    FIND = ["SELECT id, agent_id, conversation_id, status, node, handoff_reason, end_reason, error, started_at, ended_at, created_at, \
             updated_at FROM executions WHERE project_id = $1 AND id = $2"];
    // An execution starts when it is made: the same time under the name that the index has.
    LIST = ["SELECT id, agent_id, conversation_id, status, node, handoff_reason, end_reason, error, started_at, ended_at, created_at, \
             updated_at FROM executions WHERE project_id = $1 AND agent_id = $2 AND began_with IS NULL AND (status = $3 OR $3 IS NULL) \
             AND (created_at >= $4 OR $4 IS NULL) AND (created_at <= $5 OR $5 IS NULL) AND (ended_at >= $6 OR $6 IS NULL) \
             AND (ended_at <= $7 OR $7 IS NULL) AND (phone_number = $8 OR $8 IS NULL) \
             ORDER BY created_at DESC, id DESC LIMIT $9 OFFSET $10"];
    OF_CONVERSATION = ["SELECT id, agent_id, conversation_id, status, node, handoff_reason, end_reason, error, started_at, ended_at, created_at, \
                        updated_at FROM executions WHERE project_id = $1 AND conversation_id = $2 \
                        ORDER BY created_at DESC, id DESC LIMIT $3 OFFSET $4"];
    COUNT_OF_CONVERSATION = ["SELECT count(*) FROM executions WHERE project_id = $1 AND conversation_id = $2"];
    COUNT = ["SELECT count(*) FROM executions WHERE project_id = $1 AND agent_id = $2 AND began_with IS NULL AND (status = $3 OR $3 IS NULL) \
              AND (created_at >= $4 OR $4 IS NULL) AND (created_at <= $5 OR $5 IS NULL) AND (ended_at >= $6 OR $6 IS NULL) \
              AND (ended_at <= $7 OR $7 IS NULL) AND (phone_number = $8 OR $8 IS NULL)"];
}

/// Stores a new execution, in `started` and without a state. A conversation that has a live one refuses it.
pub async fn insert(tx: &mut Tx<'_>, project: ProjectId, e: &NewExecution<'_>) -> Result<()> {
    let (id, agent, snapshot, conversation) = (e.id.uuid(), e.agent.uuid(), e.snapshot.uuid(), e.conversation.uuid());
    run!(tx, INSERT, [project.uuid(), id, agent, snapshot, conversation, e.phone_number, e.now.micros()], execute)?;
    counters::grew(tx, project, List::ExecutionsOf(agent), id, 1);
    Ok(())
}

/// Gives a new execution a state to begin with, and the number of steps that led to it. Only tests have one: they are in
/// test mode, and a branch begins in the middle of another execution.
pub async fn begin_with(
    tx: &mut Tx<'_>,
    project: ProjectId,
    id: ExecutionId,
    (format, state, step_no): (i64, &str, i64),
    began_with: &str,
) -> Result<()> {
    let values = (project.uuid(), id.uuid());
    let tested = run!(tx, BEGIN_WITH, [values.0, values.1, state, format, step_no, began_with], fetch_optional as (Uuid,))?;
    if let Some((agent,)) = tested {
        counters::grew(tx, project, List::ExecutionsOf(agent), id.uuid(), -1);
    }
    Ok(())
}

/// JSON of the state that an execution began with and of its format, if it is a test's.
pub async fn began_with(conn: &mut Conn<'_>, project: ProjectId, id: ExecutionId) -> Result<Option<String>> {
    Ok(run!(conn, BEGAN_WITH, [project.uuid(), id.uuid()], fetch_optional as (String,))?.map(|(state,)| state))
}

/// What a step needs.
pub async fn state(conn: &mut Conn<'_>, project: ProjectId, id: ExecutionId) -> Result<Option<StateRow>> {
    run!(conn, STATE, [project.uuid(), id.uuid()], fetch_optional as StateRow)
}

/// What a step needs, and what there is to be known of the contact.
pub async fn for_step(tx: &mut Tx<'_>, project: ProjectId, id: ExecutionId, contact: ContactId) -> Result<Option<StepRow>> {
    run!(tx, STEP, [project.uuid(), id.uuid(), contact.uuid()], fetch_optional as StepRow)
}

/// Saves what a step leaves. Call it under the conversation's epoch.
pub async fn save(tx: &mut Tx<'_>, project: ProjectId, id: ExecutionId, s: &Saved<'_>) -> Result<()> {
    let now = s.now.micros();
    match s.entered {
        None => run!(tx, SAVE, [project.uuid(), id.uuid(), s.node, s.handoff_reason, s.end_reason, s.error, s.state, s.state_format,
            s.step_no, now], execute),
        Some(status) => run!(tx, SAVE_AS, [project.uuid(), id.uuid(), s.node, s.handoff_reason, s.end_reason, s.error, s.state,
            s.state_format, s.step_no, now, status.as_str(), status.is_over()], execute),
    }
    .map(drop)
}

/// The execution of this id.
pub async fn find(conn: &mut Conn<'_>, project: ProjectId, id: ExecutionId) -> Result<Option<ExecutionRow>> {
    run!(conn, FIND, [project.uuid(), id.uuid()], fetch_optional as ExecutionRow)
}

/// A page of an agent's executions, newest first, and how many match. Tests are not among them.
pub async fn list(
    conn: &mut Conn<'_>,
    (project, agent): (ProjectId, AgentId),
    f: &Filter,
    limit: i64,
    offset: i64,
) -> Result<(Vec<ExecutionRow>, i64)> {
    let micros = |time: Option<Timestamp>| time.map(Timestamp::micros);
    let times = [micros(f.started_from), micros(f.started_to), micros(f.ended_from), micros(f.ended_to)];
    let (status, phone) = (f.status.as_deref(), f.phone_number.as_deref());
    let total = count!(conn, COUNT, [project.uuid(), agent.uuid(), status, times[0], times[1], times[2], times[3], phone],
        counters::length(conn, project, List::ExecutionsOf(agent.uuid())))?;
    if offset >= total {
        return Ok((Vec::new(), total));
    }
    let rows = filtered!(conn, LIST, [project.uuid(), agent.uuid(), status, times[0], times[1], times[2], times[3], phone, limit, offset],
        fetch_all as ExecutionRow)?;
    Ok((rows, total))
}

/// A page of a conversation's executions, newest first, and how many there are.
pub async fn of_conversation(
    conn: &mut Conn<'_>,
    (project, conversation): (ProjectId, ConversationId),
    limit: i64,
    offset: i64,
) -> Result<(Vec<ExecutionRow>, i64)> {
    let rows = run!(conn, OF_CONVERSATION, [project.uuid(), conversation.uuid(), limit, offset], fetch_all as ExecutionRow)?;
    let (total,) = run!(conn, COUNT_OF_CONVERSATION, [project.uuid(), conversation.uuid()], fetch_one as (i64,))?;
    Ok((rows, total))
}
