//! Invitations to a project. The token is a link's; only its hash is stored. An accepted or expired
//! invitation is deleted.

use crate::db::{Conn, Result, Tx, rows, run, statements};
use domain::{Timestamp, ids::{InvitationId, ProjectId}, role::Role};

rows! {
    #[derive(Debug, Clone)]
    pub struct InvitationRow {
        pub project_id: ProjectId,
        pub id: InvitationId,
        pub email: String,
        pub role: Role,
        /// True if an operator made it: it may set the password of an existing account.
        pub by_operator: bool,
        /// Actor of the audit log.
        pub created_by: String,
        pub created_at: Timestamp,
        pub expires_at: Timestamp,
    }
}

statements! {
    INSERT = ["INSERT INTO invitations (project_id, id, token_hash, email, role, by_operator, created_by, created_at, expires_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"];
    SUPERSEDE = ["DELETE FROM invitations WHERE project_id = $1 AND (email = $2 OR expires_at <= $3)"];
    FIND = ["SELECT ", InvitationRow, " FROM invitations WHERE project_id = $1 AND id = $2"];
    PAGE = ["SELECT ", InvitationRow, " FROM invitations WHERE project_id = $1 ORDER BY id DESC LIMIT $2 OFFSET $3"];
    COUNT = ["SELECT count(*) FROM invitations WHERE project_id = $1"];
    DELETE = ["DELETE FROM invitations WHERE project_id = $1 AND id = $2"];
}

/// Stores an invitation in place of earlier ones of this e-mail address, and deletes expired ones.
pub async fn insert(tx: &mut Tx<'_>, project: ProjectId, row: &InvitationRow, token_hash: &[u8]) -> Result<()> {
    run!(tx, SUPERSEDE, [project, row.email, row.created_at], execute)?;
    run!(tx, INSERT, [project, row.id, token_hash, row.email, row.role, i64::from(row.by_operator), row.created_by, row.created_at,
        row.expires_at], execute).map(drop)
}

pub async fn find(conn: &mut Conn<'_>, project: ProjectId, id: InvitationId) -> Result<Option<InvitationRow>> {
    run!(conn, FIND, [project, id], fetch_optional as InvitationRow)
}

/// A page of open invitations, newest first, and their number.
pub async fn list(conn: &mut Conn<'_>, project: ProjectId, limit: i64, offset: i64) -> Result<(Vec<InvitationRow>, i64)> {
    let rows = run!(conn, PAGE, [project, limit, offset], fetch_all as InvitationRow)?;
    Ok((rows, run!(conn, COUNT, [project], fetch_one as (i64,))?.0))
}

/// `false` if it is absent.
pub async fn delete(tx: &mut Tx<'_>, project: ProjectId, id: InvitationId) -> Result<bool> {
    Ok(run!(tx, DELETE, [project, id], execute)? == 1)
}
