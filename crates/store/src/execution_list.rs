//! Executions of all agents, with what a list shows of each.

use crate::{db::{Conn, Result, rows, run, statements}, executions::{ExecutionRow, Sums}};
use domain::{Timestamp, execution::ExecutionStatus, ids::{AgentId, ContactId, ConversationId, ExecutionId, ProjectId, SnapshotId}};
use uuid::Uuid;

rows! {
    /// Columns of an execution, its agent and its contact.
    #[derive(Debug, Clone)]
    struct JoinedRow {
        id: ExecutionId,
        agent_id: AgentId,
        conversation_id: ConversationId,
        status: ExecutionStatus,
        node: String,
        handoff_reason: Option<String>,
        end_reason: Option<String>,
        error: Option<String>,
        started_at: Timestamp,
        ended_at: Option<Timestamp>,
        created_at: Timestamp,
        updated_at: Timestamp,
        agent_name: Option<String>,
        contact_name: Option<String>,
        phone_number: Option<String>,
        contact_id: Option<ContactId>,
        snapshot_id: SnapshotId,
        turns: Option<i64>,
        input_tokens: Option<i64>,
        output_tokens: Option<i64>,
        llm_calls: Option<i64>,
        asked: Option<String>,
    }
}

/// An execution in a list.
#[derive(Debug, Clone)]
pub struct ListedExecution {
    pub execution: ExecutionRow,
    /// None if the agent was deleted.
    pub agent_name: Option<String>,
    pub contact_name: Option<String>,
    /// `+` and digits; none if the contact hides the number.
    pub phone_number: Option<String>,
    /// None if the conversation was deleted.
    pub contact: Option<ContactId>,
    pub snapshot: SnapshotId,
    /// None until the next step of an execution of an earlier version.
    pub sums: Option<Sums>,
    /// None for an execution that began in an earlier version.
    pub llm_calls: Option<i64>,
    /// Start of the contact's message that it began with; empty for one without a text. None if it
    /// was deleted, and for an execution that began otherwise.
    pub asked: Option<String>,
}

/// Selection of a list.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter {
    pub status: Option<ExecutionStatus>,
    pub agent: Option<AgentId>,
    pub snapshot: Option<SnapshotId>,
    pub contact: Option<ContactId>,
    /// Only executions after this place in the list.
    pub before: Option<(Timestamp, ExecutionId)>,
}

/// Columns of [`JoinedRow`] with their tables.
struct Joined;

impl Joined {
    const COLUMNS: &str = "e.id AS id, e.agent_id AS agent_id, e.conversation_id AS conversation_id, e.status AS status, e.node AS node, \
        e.handoff_reason AS handoff_reason, e.end_reason AS end_reason, e.error AS error, e.started_at AS started_at, \
        e.ended_at AS ended_at, e.created_at AS created_at, e.updated_at AS updated_at, a.name AS agent_name, \
        c.contact_name AS contact_name, c.phone_number AS phone_number, c.contact_id AS contact_id, e.snapshot_id AS snapshot_id, \
        e.turns AS turns, e.input_tokens AS input_tokens, e.output_tokens AS output_tokens, \
        e.llm_calls AS llm_calls, substr(m.content, 1, 200) AS asked";
}

statements! {
    LIST = ["SELECT ", Joined, " FROM (SELECT ", ExecutionRow, ", snapshot_id, turns, input_tokens, output_tokens, llm_calls, first_message_seq FROM executions \
             WHERE project_id = $1 AND began_with IS NULL AND ($2 = '' OR status = $2) AND ($3 OR agent_id = $4) \
             AND created_at <= $5 AND (created_at < $5 OR id < $6) AND ($8 OR snapshot_id = $9) \
             AND ($10 OR conversation_id IN (SELECT k.id FROM conversations k WHERE k.project_id = $1 AND k.contact_id = $11)) \
             ORDER BY created_at DESC, id DESC LIMIT $7) e \
             LEFT JOIN agents a ON a.project_id = $1 AND a.id = e.agent_id \
             LEFT JOIN conversations c ON c.project_id = $1 AND c.id = e.conversation_id \
             LEFT JOIN messages m ON m.project_id = $1 AND m.conversation_id = e.conversation_id AND m.seq = e.first_message_seq \
             AND m.direction = 'inbound' \
             ORDER BY e.created_at DESC, e.id DESC"];
}

/// Executions, newest first. Those of tests are not included.
pub async fn list(conn: &mut Conn<'_>, project: ProjectId, f: &Filter, limit: i64) -> Result<Vec<ListedExecution>> {
    let status = f.status.map_or("", ExecutionStatus::as_str);
    let (at, id) = f.before.unwrap_or((Timestamp::from_micros(i64::MAX), ExecutionId::from_uuid(Uuid::max())));
    let rows = run!(conn, LIST, [project, status, f.agent.is_none(), f.agent, at, id, limit, f.snapshot.is_none(), f.snapshot,
        f.contact.is_none(), f.contact], fetch_all as JoinedRow)?;
    Ok(rows.into_iter().map(ListedExecution::from).collect())
}

impl From<JoinedRow> for ListedExecution {
    fn from(row: JoinedRow) -> Self {
        let execution = ExecutionRow {
            id: row.id,
            agent_id: row.agent_id,
            conversation_id: row.conversation_id,
            status: row.status,
            node: row.node,
            handoff_reason: row.handoff_reason,
            end_reason: row.end_reason,
            error: row.error,
            started_at: row.started_at,
            ended_at: row.ended_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
        };
        Self {
            execution,
            agent_name: row.agent_name,
            contact_name: row.contact_name,
            phone_number: row.phone_number,
            contact: row.contact_id,
            snapshot: row.snapshot_id,
            sums: row.turns.zip(row.input_tokens).zip(row.output_tokens).map(
                |((turns, input_tokens), output_tokens)| Sums { turns, input_tokens, output_tokens },
            ),
            llm_calls: row.llm_calls,
            asked: row.asked,
        }
    }
}
