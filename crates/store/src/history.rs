//! Chat history of an execution as the model gets it: append-only, but for texts that their author
//! deleted.

use crate::db::{Conn, Result, Tx, rows, run, statements, stored_words};
use domain::{Timestamp, execution::HistoryOrigin, ids::{ConversationId, ExecutionId, ProjectId}};

stored_words!(HistoryOrigin);

rows! {
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct HistoryRow {
        /// From 1, without gaps.
        pub seq: i64,
        pub at: Timestamp,
        pub node: String,
        pub origin: HistoryOrigin,
        /// JSON of a chat message.
        pub entry: String,
        /// JSON of the contact's messages in it; none of an entry without any.
        pub messages: Option<String>,
    }
}

rows! {
    /// An entry with its execution.
    #[derive(Debug, Clone)]
    pub struct PlacedRow {
        pub execution_id: ExecutionId,
        pub seq: i64,
        pub entry: String,
        pub messages: Option<String>,
    }
}

statements! {
    APPEND = ["INSERT INTO history (project_id, execution_id, seq, at, node, origin, entry, messages) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"];
    WINDOW = ["SELECT ", HistoryRow, " FROM history WHERE project_id = $1 AND execution_id = $2 AND seq >= $3 ORDER BY seq LIMIT 1000"];
    OF_CONVERSATION = ["SELECT ", PlacedRow, " FROM history WHERE project_id = $1 AND execution_id IN \
                        (SELECT id FROM executions WHERE project_id = $1 AND conversation_id = $2) AND at >= $3 \
                        ORDER BY execution_id, seq"];
    REPLACE = ["UPDATE history SET entry = $4, messages = $5 WHERE project_id = $1 AND execution_id = $2 AND seq = $3"];
    ONE = ["SELECT ", HistoryRow, " FROM history WHERE project_id = $1 AND execution_id = $2 AND seq = $3"];
}

pub async fn append(tx: &mut Tx<'_>, project: ProjectId, execution: ExecutionId, row: &HistoryRow) -> Result<()> {
    run!(tx, APPEND, [project, execution, row.seq, row.at, row.node, row.origin, row.entry, row.messages], execute).map(drop)
}

/// Entries of all executions of a conversation since a time.
pub async fn of_conversation(conn: &mut Conn<'_>, project: ProjectId, conversation: ConversationId, since: Timestamp) -> Result<Vec<PlacedRow>> {
    run!(conn, OF_CONVERSATION, [project, conversation, since], fetch_all as PlacedRow)
}

/// Writes an entry without a text that was deleted. Nothing else may change a history.
pub async fn replace(tx: &mut Tx<'_>, project: ProjectId, row: &PlacedRow) -> Result<()> {
    run!(tx, REPLACE, [project, row.execution_id, row.seq, row.entry, row.messages], execute).map(drop)
}

pub async fn window(conn: &mut Conn<'_>, project: ProjectId, execution: ExecutionId, from: i64) -> Result<Vec<HistoryRow>> {
    run!(conn, WINDOW, [project, execution, from], fetch_all as HistoryRow)
}

pub async fn one(conn: &mut Conn<'_>, project: ProjectId, execution: ExecutionId, seq: i64) -> Result<Option<HistoryRow>> {
    run!(conn, ONE, [project, execution, seq], fetch_optional as HistoryRow)
}
