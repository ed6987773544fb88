//! Executions: runs of an agent, with the engine's state.

use crate::{counters, db::{Conn, Counter, List, Result, Tx, Value, rows, run, statements, stored_words}};
use domain::{Timestamp, execution::ExecutionStatus, ids::{AgentId, ContactId, ConversationId, ExecutionId, ProjectId, SnapshotId}};
use uuid::Uuid;

stored_words!(ExecutionStatus);

rows! {
    /// An execution without the engine's state.
    #[derive(Debug, Clone)]
    pub struct ExecutionRow {
        pub id: ExecutionId,
        pub agent_id: AgentId,
        pub conversation_id: ConversationId,
        pub status: ExecutionStatus,
        /// The current node.
        pub node: String,
        pub handoff_reason: Option<String>,
        pub end_reason: Option<String>,
        pub error: Option<String>,
        pub started_at: Timestamp,
        pub ended_at: Option<Timestamp>,
        pub created_at: Timestamp,
        pub updated_at: Timestamp,
    }
}

rows! {
    /// The engine's state of an execution.
    #[derive(Debug, Clone)]
    pub struct StateRow {
        pub snapshot_id: SnapshotId,
        pub status: ExecutionStatus,
        /// The engine's state, JSON.
        pub state: String,
        pub state_format: i64,
        pub step_no: i64,
    }
}

rows! {
    /// The engine's state, for a step in a conversation.
    #[derive(Debug, Clone)]
    pub struct StepRow {
        pub snapshot_id: SnapshotId,
        pub status: ExecutionStatus,
        /// The engine's state, JSON.
        pub state: String,
        pub state_format: i64,
        pub step_no: i64,
        pub ended_at: Option<Timestamp>,
        /// Version of the contact context.
        pub about_version: Option<i64>,
    }
}

#[derive(Debug, Clone)]
pub struct NewExecution<'a> {
    pub id: ExecutionId,
    pub agent: AgentId,
    pub snapshot: SnapshotId,
    pub conversation: ConversationId,
    /// `+` and digits.
    pub phone_number: Option<&'a str>,
    /// Place of the contact's message that it begins with.
    pub first_message: Option<i64>,
    pub now: Timestamp,
}

/// An execution after a step.
#[derive(Debug, Clone)]
pub struct Saved<'a> {
    /// The new status, if it differs from the stored one.
    pub entered: Option<ExecutionStatus>,
    /// The current node.
    pub node: &'a str,
    pub handoff_reason: Option<&'a str>,
    pub end_reason: Option<&'a str>,
    pub error: Option<&'a str>,
    /// The engine's state, JSON.
    pub state: &'a str,
    pub state_format: i64,
    pub step_no: i64,
    pub sums: Sums,
    /// Model calls of the step.
    pub llm_calls: i64,
    pub now: Timestamp,
}

/// Sums of an execution, for lists.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    pub turns: i64,
    pub input_tokens: i64,
    pub output_tokens: i64,
}

/// Filters of a list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub status: Option<String>,
    pub started_from: Option<Timestamp>,
    pub started_to: Option<Timestamp>,
    pub ended_from: Option<Timestamp>,
    pub ended_to: Option<Timestamp>,
    /// `+` and digits.
    pub phone_number: Option<String>,
}

statements! {
    BEGIN_WITH = ["UPDATE executions SET state = $3, state_format = $4, step_no = $5, began_with = $6 \
                  WHERE project_id = $1 AND id = $2 AND began_with IS NULL RETURNING agent_id"];
    BEGAN_WITH = ["SELECT began_with FROM executions WHERE project_id = $1 AND id = $2 AND began_with IS NOT NULL"];
    INSERT = ["INSERT INTO executions (project_id, id, agent_id, snapshot_id, conversation_id, phone_number, status, node, state, \
               state_format, step_no, llm_calls, started_at, created_at, updated_at, first_message_seq) \
               VALUES ($1, $2, $3, $4, $5, $6, 'started', '__start__', '', 0, 0, 0, $7, $7, $7, $8)"];
    STATE = ["SELECT ", StateRow, " FROM executions WHERE project_id = $1 AND id = $2"];
    STEP = ["SELECT snapshot_id, status, state, state_format, step_no, ended_at, \
             (SELECT about_version FROM contacts WHERE project_id = $1 AND id = $3) AS about_version \
             FROM executions WHERE project_id = $1 AND id = $2"];
    SAVE = ["UPDATE executions SET node = $3, handoff_reason = $4, end_reason = $5, error = $6, state = $7, state_format = $8, \
             step_no = $9, updated_at = $10, turns = $11, input_tokens = $12, output_tokens = $13, \
             llm_calls = llm_calls + $14 \
             WHERE project_id = $1 AND id = $2"];
    // Apart from [`SAVE`]: the status stands in two indexes, and not every step changes it.
    SAVE_AS = ["UPDATE executions SET node = $3, handoff_reason = $4, end_reason = $5, error = $6, state = $7, state_format = $8, \
                step_no = $9, updated_at = $10, turns = $11, input_tokens = $12, output_tokens = $13, \
                llm_calls = llm_calls + $14, status = $15, ended_at = CASE WHEN $16 THEN CAST($10 AS BIGINT) ELSE NULL END \
                WHERE project_id = $1 AND id = $2"];
    FIND = ["SELECT ", ExecutionRow, " FROM executions WHERE project_id = $1 AND id = $2"];
    LIVE_OF_AGENT = ["SELECT ", ExecutionRow, " FROM executions WHERE project_id = $1 AND agent_id = $2 AND began_with IS NULL \
                      AND status IN ('started', 'running', 'paused', 'handoff') ORDER BY conversation_id LIMIT $3"];
    OF_CONVERSATION = ["SELECT ", ExecutionRow, " FROM executions WHERE project_id = $1 AND conversation_id = $2 \
                        ORDER BY created_at DESC, id DESC LIMIT $3 OFFSET $4"];
    COUNT_OF_CONVERSATION = ["SELECT count(*) FROM executions WHERE project_id = $1 AND conversation_id = $2"];
}

/// `created_at` is also the start of an execution, under the name that the index has.
pub(crate) const LIST: List<2, 6> = List {
    columns: ExecutionRow::COLUMNS,
    from: "executions WHERE project_id = $1 AND agent_id = $2 AND began_with IS NULL",
    filters: ["status = ?", "created_at >= ?", "created_at <= ?", "ended_at >= ?", "ended_at <= ?", "phone_number = ?"],
    order: "created_at DESC, id DESC",
};

/// Stores a new execution, in `started` and without a state. A conversation that has a live one
/// refuses it.
pub async fn insert(tx: &mut Tx<'_>, project: ProjectId, e: &NewExecution<'_>) -> Result<()> {
    run!(tx, INSERT, [project, e.id, e.agent, e.snapshot, e.conversation, e.phone_number, e.now, e.first_message], execute)?;
    counters::add(tx, project, Counter::ExecutionsOf(e.agent.uuid()), e.id.uuid(), 1);
    Ok(())
}

/// Sets a new execution's initial state and the number of steps that led to it. Only tests have
/// one: they run in test mode, and a branch begins in the middle of another execution.
pub async fn begin_with(
    tx: &mut Tx<'_>,
    project: ProjectId,
    id: ExecutionId,
    format: i64,
    state: &str,
    step_no: i64,
    began_with: &str,
) -> Result<()> {
    let tested = run!(tx, BEGIN_WITH, [project, id, state, format, step_no, began_with], fetch_optional as (Uuid,))?;
    if let Some((agent,)) = tested {
        counters::add(tx, project, Counter::ExecutionsOf(agent), id.uuid(), -1);
    }
    Ok(())
}

/// JSON of a test execution's initial state and its format.
pub async fn began_with(conn: &mut Conn<'_>, project: ProjectId, id: ExecutionId) -> Result<Option<String>> {
    Ok(run!(conn, BEGAN_WITH, [project, id], fetch_optional as (String,))?.map(|(state,)| state))
}

pub async fn state(conn: &mut Conn<'_>, project: ProjectId, id: ExecutionId) -> Result<Option<StateRow>> {
    run!(conn, STATE, [project, id], fetch_optional as StateRow)
}

/// The engine's state and the version of the contact context.
pub async fn for_step(tx: &mut Tx<'_>, project: ProjectId, id: ExecutionId, contact: ContactId) -> Result<Option<StepRow>> {
    run!(tx, STEP, [project, id, contact], fetch_optional as StepRow)
}

/// The caller must hold the conversation's epoch.
pub async fn save(tx: &mut Tx<'_>, project: ProjectId, id: ExecutionId, s: &Saved<'_>) -> Result<()> {
    let sums = s.sums;
    match s.entered {
        None => run!(tx, SAVE, [project, id, s.node, s.handoff_reason, s.end_reason, s.error, s.state, s.state_format,
        s.step_no, s.now, sums.turns, sums.input_tokens, sums.output_tokens, s.llm_calls], execute),
        Some(status) => run!(tx, SAVE_AS, [project, id, s.node, s.handoff_reason, s.end_reason, s.error, s.state,
        s.state_format, s.step_no, s.now, sums.turns, sums.input_tokens, sums.output_tokens, s.llm_calls,
        status, status.is_over()], execute),
    }
    .map(drop)
}

pub async fn find(conn: &mut Conn<'_>, project: ProjectId, id: ExecutionId) -> Result<Option<ExecutionRow>> {
    run!(conn, FIND, [project, id], fetch_optional as ExecutionRow)
}

/// A page of an agent's executions without those of tests, newest first, and the number of all that
/// match.
pub async fn list(
    conn: &mut Conn<'_>,
    project: ProjectId,
    agent: AgentId,
    f: &Filter,
    limit: i64,
    offset: i64,
) -> Result<(Vec<ExecutionRow>, i64)> {
    let query = LIST.query([project.into(), agent.into()], [
        f.status.as_deref().map(Value::from),
        f.started_from.map(Value::from),
        f.started_to.map(Value::from),
        f.ended_from.map(Value::from),
        f.ended_to.map(Value::from),
        f.phone_number.as_deref().map(Value::from),
    ]);
    counters::page(conn, (project, Counter::ExecutionsOf(agent.uuid())), &query, (limit, offset)).await
}

/// Executions of an agent that are not over, without those of tests, in the order of their
/// conversations.
pub async fn live_of_agent(conn: &mut Conn<'_>, project: ProjectId, agent: AgentId, limit: i64) -> Result<Vec<ExecutionRow>> {
    run!(conn, LIVE_OF_AGENT, [project, agent, limit], fetch_all as ExecutionRow)
}

/// A page of a conversation's executions, newest first, and their number.
pub async fn of_conversation(
    conn: &mut Conn<'_>,
    project: ProjectId,
    conversation: ConversationId,
    limit: i64,
    offset: i64,
) -> Result<(Vec<ExecutionRow>, i64)> {
    let rows = run!(conn, OF_CONVERSATION, [project, conversation, limit, offset], fetch_all as ExecutionRow)?;
    let (total,) = run!(conn, COUNT_OF_CONVERSATION, [project, conversation], fetch_one as (i64,))?;
    Ok((rows, total))
}
