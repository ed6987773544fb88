//! Audit log: one row in the transaction of each API write, append-only.

use crate::db::{Conn, Result, Tx, rows, run, statements};
use domain::{Timestamp, ids::ProjectId};
use uuid::Uuid;

rows! {
    #[derive(Debug, Clone)]
    pub struct AuditRow {
        pub id: Uuid,
        pub at: Timestamp,
        /// For example `key:` and the API key's id.
        pub actor: String,
        /// The transaction's name, for example `agent.update`.
        pub action: String,
        /// The id of the written object, else the request's path.
        pub target: String,
        /// As in the logs.
        pub request_id: String,
    }
}

statements! {
    APPEND = ["INSERT INTO audit (project_id, id, at, actor, action, target, request_id) VALUES ($1, $2, $3, $4, $5, $6, $7)"];
    LIST = ["SELECT ", AuditRow, " FROM audit WHERE project_id = $1 ORDER BY id DESC LIMIT $2 OFFSET $3"];
    COUNT = ["SELECT count(*) FROM audit WHERE project_id = $1"];
}

pub async fn append(tx: &mut Tx<'_>, project: ProjectId, row: &AuditRow) -> Result<()> {
    run!(tx, APPEND, [project, row.id, row.at, row.actor, row.action, row.target, row.request_id], execute).map(drop)
}

/// A page of the project's writes, newest first, and their number.
pub async fn list(conn: &mut Conn<'_>, project: ProjectId, limit: i64, offset: i64) -> Result<(Vec<AuditRow>, i64)> {
    let rows = run!(conn, LIST, [project, limit, offset], fetch_all as AuditRow)?;
    let (total,) = run!(conn, COUNT, [project], fetch_one as (i64,))?;
    Ok((rows, total))
}
