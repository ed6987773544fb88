//! Users who sign in, and their memberships.

use crate::{projects::ProjectRow, db::{Conn, Result, Tx, rows, run, statements}};
use domain::{Timestamp, ids::{ProjectId, UserId}};

rows! {
    #[derive(Debug, Clone)]
    pub struct UserRow {
        pub id: UserId,
        pub email: String,
        /// Operators see every project.
        pub is_operator: bool,
    }
}

statements! {
    ENSURE = ["INSERT INTO users (id, email, is_operator, created_at) VALUES ($1, $2, $3, $4) \
               ON CONFLICT (email) DO UPDATE SET is_operator = CASE WHEN excluded.is_operator > users.is_operator \
               THEN excluded.is_operator ELSE users.is_operator END RETURNING ", UserRow];
    FIND = ["SELECT ", UserRow, " FROM users WHERE id = $1"];
    JOIN = ["INSERT INTO memberships (project_id, user_id, role, created_at) VALUES ($1, $2, 'member', $3) \
             ON CONFLICT (project_id, user_id) DO NOTHING"];
    PROJECTS = ["SELECT p.id, p.name, p.created_at, p.updated_at FROM projects p \
                 WHERE p.id <> $3 AND (EXISTS (SELECT 1 FROM memberships m WHERE m.project_id = p.id AND m.user_id = $1) \
                 OR EXISTS (SELECT 1 FROM users u WHERE u.id = $1 AND u.is_operator = 1)) \
                 AND EXISTS (SELECT 1 FROM cli_tokens t WHERE t.lookup = $2 AND (t.is_operator = 1 \
                 OR EXISTS (SELECT 1 FROM cli_access a WHERE a.project_id = p.id AND a.holder = t.hash))) \
                 ORDER BY p.created_at DESC, p.id DESC LIMIT 1000"];
    IN_ACCESS = ["SELECT t.user_id FROM cli_tokens t WHERE t.lookup = $1 AND (t.is_operator = 1 \
                  OR EXISTS (SELECT 1 FROM cli_access a WHERE a.project_id = $2 AND a.holder = t.hash))"];
    PROJECT = ["SELECT p.id, p.name, p.created_at, p.updated_at FROM projects p \
                WHERE p.id = $2 AND (EXISTS (SELECT 1 FROM memberships m WHERE m.project_id = p.id AND m.user_id = $1) \
                OR EXISTS (SELECT 1 FROM users u WHERE u.id = $1 AND u.is_operator = 1))"];
}

/// Finds or creates the user of this e-mail address. An operator stays one.
pub async fn ensure(tx: &mut Tx<'_>, new_id: UserId, email: &str, is_operator: bool, now: Timestamp) -> Result<UserRow> {
    run!(tx, ENSURE, [new_id, email, i64::from(is_operator), now], fetch_one as UserRow)
}

pub async fn find(conn: &mut Conn<'_>, id: UserId) -> Result<Option<UserRow>> {
    run!(conn, FIND, [id], fetch_optional as UserRow)
}

/// Does nothing if the user is a member.
pub async fn join(tx: &mut Tx<'_>, project: ProjectId, user: UserId, now: Timestamp) -> Result<()> {
    run!(tx, JOIN, [project, user, now], execute).map(drop)
}

/// Projects that a user sees and their token may access, without `hidden`, newest first; at most a
/// thousand.
pub async fn projects(
    conn: &mut Conn<'_>,
    user: UserId,
    token_lookup: &str,
    hidden: ProjectId,
) -> Result<Vec<ProjectRow>> {
    run!(conn, PROJECTS, [user, token_lookup, hidden], fetch_all as ProjectRow)
}

/// A project, if it is visible to the user.
pub async fn project(conn: &mut Conn<'_>, user: UserId, id: ProjectId) -> Result<Option<ProjectRow>> {
    run!(conn, PROJECT, [user, id], fetch_optional as ProjectRow)
}

/// A project that is visible to the user and that their token may access.
pub async fn project_of_token(
    conn: &mut Conn<'_>,
    user: UserId,
    token_lookup: &str,
    id: ProjectId,
) -> Result<Option<ProjectRow>> {
    match run!(conn, IN_ACCESS, [token_lookup, id], fetch_optional as (UserId,))? {
        Some((owner,)) if owner == user => project(conn, user, id).await,
        _ => Ok(None),
    }
}
