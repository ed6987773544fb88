//! Projects: the tenants.

use crate::db::{Conn, Result, Tx, rows, run, statements};
use domain::{Timestamp, ids::ProjectId};

rows! {
    /// A project that is not being deleted.
    #[derive(Debug, Clone)]
    pub struct ProjectRow {
        pub id: ProjectId,
        pub name: String,
        pub created_at: Timestamp,
        pub updated_at: Timestamp,
        /// An archived project cannot be changed, and its agents do nothing.
        pub archived_at: Option<Timestamp>,
        /// Settings of `domain::agent_messages`, JSON; none before there were any.
        pub agent_messages: Option<String>,
    }
}

/// Stands in statements for the condition that the workers leave a project alone: it is archived or
/// being deleted.
pub(crate) struct Stopped;

impl Stopped {
    pub(crate) const COLUMNS: &str = "archived_at IS NOT NULL OR deleted_at IS NOT NULL";
}

statements! {
    INSERT = ["INSERT INTO projects (id, name, created_at, updated_at) VALUES ($1, $2, $3, $3) ON CONFLICT (id) DO NOTHING"];
    FIND = ["SELECT ", ProjectRow, " FROM projects WHERE id = $1 AND deleted_at IS NULL"];
    NAMED = ["SELECT ", ProjectRow, " FROM projects WHERE name = $1 AND deleted_at IS NULL ORDER BY created_at, id LIMIT 2"];
    TAKEN = ["SELECT count(*) FROM projects WHERE name = $1 AND id <> $2 AND id <> $3 AND deleted_at IS NULL"];
    LIST = ["SELECT ", ProjectRow, " FROM projects WHERE id <> $1 AND deleted_at IS NULL ORDER BY created_at, id LIMIT 1000"];
    UPDATE = ["UPDATE projects SET name = $2, archived_at = $3, updated_at = $4 WHERE id = $1 AND deleted_at IS NULL"];
    SET_AGENT_MESSAGES = ["UPDATE projects SET agent_messages = $2, updated_at = $3 WHERE id = $1 AND deleted_at IS NULL"];
    IS_STOPPED = ["SELECT id FROM projects WHERE id = $1 AND (", Stopped, ")"];
    LOCK = ["UPDATE projects SET name = name WHERE id = $1 AND deleted_at IS NULL"];
    MARK_DELETED = ["UPDATE projects SET deleted_at = $3, updated_at = $3 WHERE id = $1 AND name = $2 AND deleted_at IS NULL"];
    REMOVE = ["DELETE FROM projects WHERE id = $1 AND deleted_at IS NOT NULL"];
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

/// True if a project other than these two has the name.
pub async fn is_taken(conn: &mut Conn<'_>, name: &str, but: [ProjectId; 2]) -> Result<bool> {
    Ok(run!(conn, TAKEN, [name, but[0], but[1]], fetch_one as (i64,))?.0 > 0)
}

/// All projects but `hidden`, oldest first; at most a thousand.
pub async fn list(conn: &mut Conn<'_>, hidden: ProjectId) -> Result<Vec<ProjectRow>> {
    run!(conn, LIST, [hidden], fetch_all as ProjectRow)
}

/// Writes name and archive time.
pub async fn update(tx: &mut Tx<'_>, id: ProjectId, name: &str, archived_at: Option<Timestamp>, now: Timestamp) -> Result<()> {
    run!(tx, UPDATE, [id, name, archived_at, now], execute).map(drop)
}

/// Writes the settings of `domain::agent_messages`, JSON.
pub async fn set_agent_messages(tx: &mut Tx<'_>, id: ProjectId, settings: &str, now: Timestamp) -> Result<()> {
    run!(tx, SET_AGENT_MESSAGES, [id, settings, now], execute).map(drop)
}

/// True if the project is archived or being deleted.
pub async fn is_stopped(conn: &mut Conn<'_>, id: ProjectId) -> Result<bool> {
    Ok(run!(conn, IS_STOPPED, [id], fetch_optional as (ProjectId,))?.is_some())
}

/// Locks a project until the transaction ends, for a rule about several of its rows.
pub async fn lock(tx: &mut Tx<'_>, id: ProjectId) -> Result<()> {
    run!(tx, LOCK, [id], execute).map(drop)
}

/// Marks a project as being deleted: it is not found from now on. `false` if it has another name.
pub async fn mark_deleted(tx: &mut Tx<'_>, id: ProjectId, name: &str, now: Timestamp) -> Result<bool> {
    Ok(run!(tx, MARK_DELETED, [id, name, now], execute)? == 1)
}

/// Removes the row of a deleted project, after all others. `false` if it is gone.
pub async fn remove(tx: &mut Tx<'_>, id: ProjectId) -> Result<bool> {
    Ok(run!(tx, REMOVE, [id], execute)? == 1)
}
