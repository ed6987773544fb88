//! CLI sign-in: codes that wait for approval, and tokens. Only hashes are stored.

use crate::db::{Conn, Result, Tx, rows, run, statements};
use domain::{Timestamp, api_key::NewApiKey, ids::UserId};

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
    BEGIN = ["INSERT INTO cli_logins (code_hash, expires_at) VALUES ($1, $2)"];
    SWEEP = ["DELETE FROM cli_logins WHERE expires_at <= $1"];
    WAITING = ["SELECT count(*) FROM cli_logins"];
    APPROVE = ["UPDATE cli_logins SET user_id = $2 WHERE code_hash = $1 AND user_id IS NULL AND expires_at > $3"];
    TAKE = ["DELETE FROM cli_logins WHERE code_hash = $1 AND user_id IS NOT NULL AND expires_at > $2 RETURNING user_id"];
    INSERT_TOKEN = ["INSERT INTO cli_tokens (lookup, hash, user_id, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)"];
    TOKEN = ["SELECT ", CliTokenRow, " FROM cli_tokens WHERE lookup = $1 AND expires_at > $2"];
    REVOKE = ["DELETE FROM cli_tokens WHERE lookup = $1"];
}

/// Stores a code that waits for approval, and deletes expired ones.
pub async fn begin(tx: &mut Tx<'_>, code_hash: &[u8], expires_at: Timestamp, now: Timestamp) -> Result<()> {
    run!(tx, SWEEP, [now], execute)?;
    run!(tx, BEGIN, [code_hash, expires_at], execute).map(drop)
}

/// Number of pending codes.
pub async fn waiting(conn: &mut Conn<'_>) -> Result<i64> {
    Ok(run!(conn, WAITING, [], fetch_one as (i64,))?.0)
}

/// `false` if the code is unknown, used or expired.
pub async fn approve(tx: &mut Tx<'_>, code_hash: &[u8], user: UserId, now: Timestamp) -> Result<bool> {
    Ok(run!(tx, APPROVE, [code_hash, user, now], execute)? == 1)
}

/// Consumes an approved code and returns its user. `None` if it is pending, unknown or expired.
pub async fn take(tx: &mut Tx<'_>, code_hash: &[u8], now: Timestamp) -> Result<Option<UserId>> {
    let row = run!(tx, TAKE, [code_hash, now], fetch_optional as (UserId,))?;
    Ok(row.map(|(user,)| user))
}

pub async fn insert_token(tx: &mut Tx<'_>, token: &NewApiKey, user: UserId, expires_at: Timestamp, now: Timestamp) -> Result<()> {
    run!(tx, INSERT_TOKEN, [token.lookup, token.hash, user, now, expires_at], execute).map(drop)
}

/// `None` if the token has expired.
pub async fn token(conn: &mut Conn<'_>, lookup: &str, now: Timestamp) -> Result<Option<CliTokenRow>> {
    run!(conn, TOKEN, [lookup, now], fetch_optional as CliTokenRow)
}

pub async fn revoke(tx: &mut Tx<'_>, lookup: &str) -> Result<()> {
    run!(tx, REVOKE, [lookup], execute).map(drop)
}
