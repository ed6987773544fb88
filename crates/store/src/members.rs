//! Members of a project and their roles.

use crate::{projects, db::{Conn, Result, Tx, rows, run, statements, stored_words}};
use domain::{Timestamp, ids::{ProjectId, UserId}, role::Role};

stored_words!(Role);

rows! {
    #[derive(Debug, Clone)]
    pub struct MemberRow {
        pub user_id: UserId,
        pub email: String,
        pub name: String,
        pub role: Role,
        pub created_at: Timestamp,
    }
}

statements! {
    ROLE = ["SELECT role FROM memberships WHERE project_id = $1 AND user_id = $2"];
    SET = ["INSERT INTO memberships (project_id, user_id, role, created_at) VALUES ($1, $2, $3, $4) \
            ON CONFLICT (project_id, user_id) DO UPDATE SET role = excluded.role"];
    REMOVE = ["DELETE FROM memberships WHERE project_id = $1 AND user_id = $2"];
    FORGET_TOKENS = ["DELETE FROM cli_access WHERE project_id = $1 AND holder IN (SELECT t.hash FROM cli_tokens t WHERE t.user_id = $2)"];
    FIND = ["SELECT m.user_id, u.email, u.name, m.role, m.created_at FROM memberships m JOIN users u ON u.id = m.user_id \
             WHERE project_id = $1 AND m.user_id = $2"];
    PAGE = ["SELECT m.user_id, u.email, u.name, m.role, m.created_at FROM memberships m JOIN users u ON u.id = m.user_id \
             WHERE project_id = $1 ORDER BY m.created_at DESC, m.user_id DESC LIMIT $2 OFFSET $3"];
    COUNT = ["SELECT count(*) FROM memberships WHERE project_id = $1"];
    LAST_OWNER = ["SELECT user_id FROM memberships WHERE project_id = $1 AND user_id = $2 AND role = 'owner' \
                   AND NOT EXISTS (SELECT 1 FROM memberships o WHERE o.project_id = $1 AND o.user_id <> $2 AND o.role = 'owner')"];
}

/// Role of a user in a project.
pub async fn role(conn: &mut Conn<'_>, project: ProjectId, user: UserId) -> Result<Option<Role>> {
    Ok(run!(conn, ROLE, [project, user], fetch_optional as (Role,))?.map(|(role,)| role))
}

/// Makes a user a member, or changes the role.
pub async fn set(tx: &mut Tx<'_>, project: ProjectId, user: UserId, role: Role, now: Timestamp) -> Result<()> {
    run!(tx, SET, [project, user, role, now], execute).map(drop)
}

/// Removes a member and the access of the user's command lines. `false` if the user is none.
pub async fn remove(tx: &mut Tx<'_>, project: ProjectId, user: UserId) -> Result<bool> {
    run!(tx, FORGET_TOKENS, [project, user], execute)?;
    Ok(run!(tx, REMOVE, [project, user], execute)? == 1)
}

/// True if the user is an owner and no other member is. Locks the project until the transaction ends: of
/// two owners that are removed at the same time, one stays.
pub async fn is_last_owner(tx: &mut Tx<'_>, project: ProjectId, user: UserId) -> Result<bool> {
    projects::lock(tx, project).await?;
    Ok(run!(tx, LAST_OWNER, [project, user], fetch_optional as (UserId,))?.is_some())
}

pub async fn find(conn: &mut Conn<'_>, project: ProjectId, user: UserId) -> Result<Option<MemberRow>> {
    run!(conn, FIND, [project, user], fetch_optional as MemberRow)
}

/// A page of members, newest first, and their number.
pub async fn list(conn: &mut Conn<'_>, project: ProjectId, limit: i64, offset: i64) -> Result<(Vec<MemberRow>, i64)> {
    let rows = run!(conn, PAGE, [project, limit, offset], fetch_all as MemberRow)?;
    Ok((rows, run!(conn, COUNT, [project], fetch_one as (i64,))?.0))
}
