//! Users who sign in, and their memberships.

use crate::{projects::ProjectRow, db::{Conn, Result, Tx, rows, run, statements}};
use domain::{Timestamp, ids::{ProjectId, UserId}, role::Role};

rows! {
    #[derive(Debug, Clone)]
    pub struct UserRow {
        pub id: UserId,
        pub email: String,
        /// Operators see every project.
        pub is_operator: bool,
    }

    /// A user with all that sign-in needs.
    #[derive(Debug, Clone)]
    pub struct PersonRow {
        pub id: UserId,
        pub email: String,
        pub name: String,
        /// PHC string of the password's hash; none until one was chosen.
        pub password: Option<String>,
        pub language: String,
        pub theme: String,
        pub shortcuts: bool,
        pub is_operator: bool,
    }

    /// A project that a user sees, and the user's role in it.
    #[derive(Debug, Clone)]
    pub struct RoleRow {
        pub id: ProjectId,
        pub name: String,
        pub archived_at: Option<Timestamp>,
        pub role: Role,
    }
}

statements! {
    PERSON = ["SELECT ", PersonRow, " FROM users WHERE id = $1"];
    PERSON_OF = ["SELECT ", PersonRow, " FROM users WHERE email = $1"];
    ANY_PASSWORD = ["SELECT id FROM users WHERE password IS NOT NULL LIMIT 1"];
    SET_PASSWORD = ["UPDATE users SET password = $2 WHERE id = $1"];
    SET_PROFILE = ["UPDATE users SET name = $2, language = $3, theme = $4, shortcuts = $5 WHERE id = $1"];
    PEOPLE = ["SELECT ", PersonRow, " FROM users WHERE email > $1 ORDER BY email LIMIT $2"];
    IS_FRESH = ["SELECT id FROM users WHERE id = $1 AND password IS NULL AND is_operator = 0 \
                 AND NOT EXISTS (SELECT 1 FROM memberships m WHERE m.user_id = $1 AND m.project_id <> $2) \
                 AND NOT EXISTS (SELECT 1 FROM cli_tokens t WHERE t.user_id = $1)"];
    ROLES = ["SELECT p.id, p.name, p.archived_at, m.role FROM memberships m JOIN projects p ON p.id = m.project_id \
              WHERE m.user_id = $1 AND p.deleted_at IS NULL ORDER BY p.name, p.id LIMIT 1000"];
    ENSURE = ["INSERT INTO users (id, email, is_operator, created_at) VALUES ($1, $2, $3, $4) \
               ON CONFLICT (email) DO UPDATE SET is_operator = CASE WHEN excluded.is_operator > users.is_operator \
               THEN excluded.is_operator ELSE users.is_operator END RETURNING ", UserRow];
    FIND = ["SELECT ", UserRow, " FROM users WHERE id = $1"];
    JOIN = ["INSERT INTO memberships (project_id, user_id, role, created_at) VALUES ($1, $2, 'owner', $3) \
             ON CONFLICT (project_id, user_id) DO NOTHING"];
    PROJECTS = ["SELECT p.id, p.name, p.created_at, p.updated_at, p.archived_at, p.agent_messages FROM projects p \
                 WHERE p.id <> $3 AND p.deleted_at IS NULL AND (EXISTS (SELECT 1 FROM memberships m WHERE m.project_id = p.id AND m.user_id = $1) \
                 OR EXISTS (SELECT 1 FROM users u WHERE u.id = $1 AND u.is_operator = 1)) \
                 AND EXISTS (SELECT 1 FROM cli_tokens t WHERE t.lookup = $2 AND (t.is_operator = 1 \
                 OR EXISTS (SELECT 1 FROM cli_access a WHERE a.project_id = p.id AND a.holder = t.hash))) \
                 ORDER BY p.created_at DESC, p.id DESC LIMIT 1000"];
    IN_ACCESS = ["SELECT t.user_id FROM cli_tokens t WHERE t.lookup = $1 AND (t.is_operator = 1 \
                  OR EXISTS (SELECT 1 FROM cli_access a WHERE a.project_id = $2 AND a.holder = t.hash))"];
    PROJECT = ["SELECT p.id, p.name, p.created_at, p.updated_at, p.archived_at, p.agent_messages FROM projects p \
                WHERE p.id = $2 AND p.deleted_at IS NULL AND (EXISTS (SELECT 1 FROM memberships m WHERE m.project_id = p.id AND m.user_id = $1) \
                OR EXISTS (SELECT 1 FROM users u WHERE u.id = $1 AND u.is_operator = 1))"];
}

/// Finds or creates the user of this e-mail address. An operator stays one.
pub async fn ensure(tx: &mut Tx<'_>, new_id: UserId, email: &str, is_operator: bool, now: Timestamp) -> Result<UserRow> {
    run!(tx, ENSURE, [new_id, email, i64::from(is_operator), now], fetch_one as UserRow)
}

pub async fn find(conn: &mut Conn<'_>, id: UserId) -> Result<Option<UserRow>> {
    run!(conn, FIND, [id], fetch_optional as UserRow)
}

/// Makes the user an owner. `false` if the user is a member.
pub async fn join(tx: &mut Tx<'_>, project: ProjectId, user: UserId, now: Timestamp) -> Result<bool> {
    Ok(run!(tx, JOIN, [project, user, now], execute)? == 1)
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

pub async fn person(conn: &mut Conn<'_>, id: UserId) -> Result<Option<PersonRow>> {
    run!(conn, PERSON, [id], fetch_optional as PersonRow)
}

/// The user of a lower-case e-mail address.
pub async fn person_of(conn: &mut Conn<'_>, email: &str) -> Result<Option<PersonRow>> {
    run!(conn, PERSON_OF, [email], fetch_optional as PersonRow)
}

/// Users after this e-mail address, in its order.
pub async fn people(conn: &mut Conn<'_>, after: &str, limit: i64) -> Result<Vec<PersonRow>> {
    run!(conn, PEOPLE, [after, limit], fetch_all as PersonRow)
}

/// True once a user has a password.
pub async fn has_passwords(conn: &mut Conn<'_>) -> Result<bool> {
    Ok(run!(conn, ANY_PASSWORD, [], fetch_optional as (UserId,))?.is_some())
}

/// Stores the hash of a new password.
pub async fn set_password(tx: &mut Tx<'_>, user: UserId, password: &str) -> Result<()> {
    run!(tx, SET_PASSWORD, [user, password], execute).map(drop)
}

/// Writes name, language, theme and shortcuts.
pub async fn set_profile(tx: &mut Tx<'_>, person: &PersonRow) -> Result<()> {
    let shortcuts = i64::from(person.shortcuts);
    run!(tx, SET_PROFILE, [person.id, person.name, person.language, person.theme, shortcuts], execute).map(drop)
}

/// True for an account that has access to nothing outside `project`: no password, no other project,
/// no command line, no operator.
pub async fn is_fresh(conn: &mut Conn<'_>, user: UserId, project: ProjectId) -> Result<bool> {
    Ok(run!(conn, IS_FRESH, [user, project], fetch_optional as (UserId,))?.is_some())
}

/// Projects of which a user is a member, by name; at most a thousand.
pub async fn roles(conn: &mut Conn<'_>, user: UserId) -> Result<Vec<RoleRow>> {
    run!(conn, ROLES, [user], fetch_all as RoleRow)
}
