//! CLI sign-in: codes that wait for approval, and tokens. Only hashes are stored.

use crate::db::{Conn, Result, Tx, rows, run, statements};
use domain::{Timestamp, api_key::NewApiKey, ids::{ProjectId, UserId}};

/// Origin of a sign-in.
#[derive(Debug, Clone, Copy)]
pub struct NewLogin<'n> {
    pub code_hash: &'n [u8],
    pub address: &'n str,
    /// Unit in which pending codes are counted.
    pub network: &'n str,
    pub user_agent: &'n str,
    pub client: &'n str,
}

/// Projects that a token may access, within what its user sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access<'a> {
    /// Every project.
    Operator,
    Projects(&'a [ProjectId]),
}

rows! {
    /// A code that waits for approval.
    #[derive(Debug, Clone)]
    pub struct PendingLogin {
        pub requested_at: Timestamp,
        /// Empty if unknown.
        pub address: String,
        pub user_agent: String,
        /// Name that the client gave itself.
        pub client: String,
    }
}

rows! {
    /// The user of an approved code.
    #[derive(Debug, Clone, Copy)]
    pub struct ApprovedLogin {
        pub user_id: UserId,
        pub is_operator: i64,
    }
}

rows! {
    /// A valid token.
    #[derive(Debug, Clone)]
    pub struct CliTokenRow {
        /// SHA-256 of the whole token.
        pub hash: Vec<u8>,
        pub user_id: UserId,
    }
}

statements! {
    BEGIN = ["INSERT INTO cli_logins (code_hash, requested_at, address, network, user_agent, client, expires_at) \
              VALUES ($1, $2, $3, $4, $5, $6, $7)"];
    SWEEP_ACCESS = ["DELETE FROM cli_access WHERE holder IN (SELECT code_hash FROM cli_logins WHERE expires_at <= $1)"];
    SWEEP = ["DELETE FROM cli_logins WHERE expires_at <= $1"];
    WAITING = ["SELECT count(*) FROM cli_logins WHERE network = $1"];
    PENDING = ["SELECT ", PendingLogin, " FROM cli_logins WHERE code_hash = $1 AND user_id IS NULL AND expires_at > $2"];
    APPROVE = ["UPDATE cli_logins SET user_id = $2, is_operator = $4 WHERE code_hash = $1 AND user_id IS NULL AND expires_at > $3"];
    GRANT = ["INSERT INTO cli_access (project_id, holder) VALUES ($1, $2) ON CONFLICT (project_id, holder) DO NOTHING"];
    TAKE = ["DELETE FROM cli_logins WHERE code_hash = $1 AND user_id IS NOT NULL AND expires_at > $2 RETURNING ", ApprovedLogin];
    INSERT_TOKEN = ["INSERT INTO cli_tokens (lookup, hash, user_id, is_operator, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)"];
    MOVE_ACCESS = ["UPDATE cli_access SET holder = $2 WHERE holder = $1"];
    TOKEN = ["SELECT ", CliTokenRow, " FROM cli_tokens WHERE lookup = $1 AND expires_at > $2"];
    REVOKE_ACCESS = ["DELETE FROM cli_access WHERE holder IN (SELECT hash FROM cli_tokens WHERE lookup = $1)"];
    REVOKE = ["DELETE FROM cli_tokens WHERE lookup = $1"];
}

/// Stores a code that waits for approval, and deletes expired ones.
pub async fn begin(tx: &mut Tx<'_>, login: NewLogin<'_>, expires_at: Timestamp, now: Timestamp) -> Result<()> {
    run!(tx, SWEEP_ACCESS, [now], execute)?;
    run!(tx, SWEEP, [now], execute)?;
    let NewLogin { code_hash, address, network, user_agent, client } = login;
    run!(tx, BEGIN, [code_hash, now, address, network, user_agent, client, expires_at], execute).map(drop)
}

/// Number of codes that this network began and that are not used or deleted.
pub async fn waiting(conn: &mut Conn<'_>, network: &str) -> Result<i64> {
    Ok(run!(conn, WAITING, [network], fetch_one as (i64,))?.0)
}

/// `None` if the code is unknown, approved or expired.
pub async fn pending(conn: &mut Conn<'_>, code_hash: &[u8], now: Timestamp) -> Result<Option<PendingLogin>> {
    run!(conn, PENDING, [code_hash, now], fetch_optional as PendingLogin)
}

/// Binds user and rights to a code. `false` if it is unknown, approved or expired.
pub async fn approve(
    tx: &mut Tx<'_>,
    code_hash: &[u8],
    user: UserId,
    access: Access<'_>,
    now: Timestamp,
) -> Result<bool> {
    let is_operator = i64::from(access == Access::Operator);
    if run!(tx, APPROVE, [code_hash, user, now, is_operator], execute)? != 1 {
        return Ok(false);
    }
    if let Access::Projects(projects) = access {
        for project in projects {
            run!(tx, GRANT, [project, code_hash], execute)?;
        }
    }
    Ok(true)
}

/// Consumes an approved code. `None` if it is pending, unknown or expired.
pub async fn take(tx: &mut Tx<'_>, code_hash: &[u8], now: Timestamp) -> Result<Option<ApprovedLogin>> {
    run!(tx, TAKE, [code_hash, now], fetch_optional as ApprovedLogin)
}

/// Stores a token with the rights of the code.
pub async fn insert_token(
    tx: &mut Tx<'_>,
    token: &NewApiKey,
    code_hash: &[u8],
    login: ApprovedLogin,
    expires_at: Timestamp,
    now: Timestamp,
) -> Result<()> {
    run!(tx, INSERT_TOKEN, [token.lookup, token.hash, login.user_id, login.is_operator, now, expires_at], execute)?;
    run!(tx, MOVE_ACCESS, [code_hash, token.hash], execute).map(drop)
}

/// `None` if the token has expired.
pub async fn token(conn: &mut Conn<'_>, lookup: &str, now: Timestamp) -> Result<Option<CliTokenRow>> {
    run!(conn, TOKEN, [lookup, now], fetch_optional as CliTokenRow)
}

pub async fn revoke(tx: &mut Tx<'_>, lookup: &str) -> Result<()> {
    run!(tx, REVOKE_ACCESS, [lookup], execute)?;
    run!(tx, REVOKE, [lookup], execute).map(drop)
}
