//! Chat history of an execution as the model gets it, append-only.

use crate::db::{Conn, Result, Tx, rows, run, statements, stored_words};
use domain::{Timestamp, execution::HistoryOrigin, ids::{ExecutionId, ProjectId}};

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
    }
}

statements! {
    APPEND = ["INSERT INTO history (project_id, execution_id, seq, at, node, origin, entry) VALUES ($1, $2, $3, $4, $5, $6, $7)"];
    WINDOW = ["SELECT ", HistoryRow, " FROM history WHERE project_id = $1 AND execution_id = $2 AND seq >= $3 ORDER BY seq LIMIT 1000"];
    ONE = ["SELECT ", HistoryRow, " FROM history WHERE project_id = $1 AND execution_id = $2 AND seq = $3"];
}

pub async fn append(tx: &mut Tx<'_>, project: ProjectId, execution: ExecutionId, row: &HistoryRow) -> Result<()> {
    run!(tx, APPEND, [project, execution, row.seq, row.at, row.node, row.origin, row.entry], execute).map(drop)
}

pub async fn window(conn: &mut Conn<'_>, project: ProjectId, execution: ExecutionId, from: i64) -> Result<Vec<HistoryRow>> {
    run!(conn, WINDOW, [project, execution, from], fetch_all as HistoryRow)
}

pub async fn one(conn: &mut Conn<'_>, project: ProjectId, execution: ExecutionId, seq: i64) -> Result<Option<HistoryRow>> {
    run!(conn, ONE, [project, execution, seq], fetch_optional as HistoryRow)
}
