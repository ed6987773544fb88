//! Projects: the tenants.

use crate::db::{Conn, Result, Tx, rows, run, statements};
use domain::{Timestamp, ids::ProjectId};

rows! {
    #[derive(Debug, Clone)]
    pub struct ProjectRow {
        pub id: ProjectId,
        pub name: String,
        pub created_at: Timestamp,
        pub updated_at: Timestamp,
    }
}

statements! {
    INSERT = ["INSERT INTO projects (id, name, created_at, updated_at) VALUES ($1, $2, $3, $3) ON CONFLICT (id) DO NOTHING"];
    FIND = ["SELECT ", ProjectRow, " FROM projects WHERE id = $1"];
    NAMED = ["SELECT ", ProjectRow, " FROM projects WHERE name = $1 ORDER BY created_at, id LIMIT 2"];
}

/// Does nothing if the id exists.
pub async fn insert(tx: &mut Tx<'_>, id: ProjectId, name: &str, now: Timestamp) -> Result<()> {
    run!(tx, INSERT, [id, name, now], execute).map(drop)
}

pub async fn find(conn: &mut Conn<'_>, id: ProjectId) -> Result<Option<ProjectRow>> {
    run!(conn, FIND, [id], fetch_optional as ProjectRow)
}

/// At most two projects, so that callers notice an ambiguous name.
pub async fn named(conn: &mut Conn<'_>, name: &str) -> Result<Vec<ProjectRow>> {
    run!(conn, NAMED, [name], fetch_all as ProjectRow)
}
