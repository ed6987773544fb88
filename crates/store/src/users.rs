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
                 WHERE p.id <> $2 AND (EXISTS (SELECT 1 FROM memberships m WHERE m.project_id = p.id AND m.user_id = $1) \
                 OR EXISTS (SELECT 1 FROM users u WHERE u.id = $1 AND u.is_operator = 1)) \
                 ORDER BY p.created_at DESC, p.id DESC LIMIT 1000"];
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

/// Projects visible to a user without `hidden`, newest first; at most a thousand.
pub async fn projects(conn: &mut Conn<'_>, user: UserId, hidden: ProjectId) -> Result<Vec<ProjectRow>> {
    run!(conn, PROJECTS, [user, hidden], fetch_all as ProjectRow)
}

/// A project, if it is visible to the user.
pub async fn project(conn: &mut Conn<'_>, user: UserId, id: ProjectId) -> Result<Option<ProjectRow>> {
    run!(conn, PROJECT, [user, id], fetch_optional as ProjectRow)
}
