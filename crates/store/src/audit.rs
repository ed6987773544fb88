//! Audit log: one row in the transaction of each API write, append-only.

use crate::db::{Conn, List, Result, Tx, Value, rows, run, statements};
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

/// Filters of a list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub actor: Option<String>,
    pub action: Option<String>,
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
}

pub(crate) const LIST: List<1, 4> = List {
    columns: AuditRow::COLUMNS,
    from: "audit WHERE project_id = $1",
    filters: ["actor = ?", "action = ?", "at >= ?", "at <= ?"],
    order: "at DESC, id DESC",
};

statements! {
    APPEND = ["INSERT INTO audit (project_id, id, at, actor, action, target, request_id) VALUES ($1, $2, $3, $4, $5, $6, $7)"];
    NEWEST = ["SELECT ", AuditRow, " FROM audit WHERE project_id = $1 ORDER BY id DESC LIMIT $2 OFFSET $3"];
    COUNT = ["SELECT count(*) FROM audit WHERE project_id = $1"];
}

pub async fn append(tx: &mut Tx<'_>, project: ProjectId, row: &AuditRow) -> Result<()> {
    run!(tx, APPEND, [project, row.id, row.at, row.actor, row.action, row.target, row.request_id], execute).map(drop)
}

/// A page of the project's writes, newest first, and their number.
pub async fn list(conn: &mut Conn<'_>, project: ProjectId, limit: i64, offset: i64) -> Result<(Vec<AuditRow>, i64)> {
    let rows = run!(conn, NEWEST, [project, limit, offset], fetch_all as AuditRow)?;
    let (total,) = run!(conn, COUNT, [project], fetch_one as (i64,))?;
    Ok((rows, total))
}

/// A page of the writes that match, newest first, and the number of all that match.
pub async fn page(conn: &mut Conn<'_>, project: ProjectId, f: &Filter, limit: i64, offset: i64) -> Result<(Vec<AuditRow>, i64)> {
    let query = LIST.query([project.into()], [
        f.actor.as_deref().map(Value::from),
        f.action.as_deref().map(Value::from),
        f.from.map(Value::from),
        f.to.map(Value::from),
    ]);
    Ok((query.page(conn, limit, offset).await?, query.count(conn).await?))
}
