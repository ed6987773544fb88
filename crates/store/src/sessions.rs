//! Sessions of people in a browser, and one-time links to choose a new password. Only hashes are
//! stored.

use crate::db::{Conn, Result, Tx, rows, run, statements};
use domain::{Timestamp, ids::{SessionId, UserId}};

rows! {
    /// A session as its user sees it.
    #[derive(Debug, Clone)]
    pub struct SessionRow {
        pub id: SessionId,
        pub created_at: Timestamp,
        /// A minute old at most.
        pub last_used_at: Timestamp,
        pub expires_at: Timestamp,
        /// Empty if unknown.
        pub address: String,
        pub user_agent: String,
    }

    /// The user of a session.
    #[derive(Debug, Clone, Copy)]
    pub struct SignedIn {
        pub id: SessionId,
        pub user_id: UserId,
        pub last_used_at: Timestamp,
        pub expires_at: Timestamp,
        pub is_operator: bool,
    }
}

/// A new session.
#[derive(Debug, Clone, Copy)]
pub struct NewSession<'s> {
    pub id: SessionId,
    pub hash: &'s [u8],
    pub user: UserId,
    pub expires_at: Timestamp,
    pub address: &'s str,
    pub user_agent: &'s str,
}

statements! {
    INSERT = ["INSERT INTO sessions (hash, id, user_id, created_at, last_used_at, expires_at, address, user_agent) \
               VALUES ($1, $2, $3, $4, $4, $5, $6, $7)"];
    OLDEST = ["DELETE FROM sessions WHERE user_id = $1 AND id NOT IN (SELECT id FROM sessions WHERE user_id = $1 ORDER BY id DESC LIMIT $2)"];
    FIND = ["SELECT s.id, s.user_id, s.last_used_at, s.expires_at, u.is_operator FROM sessions s JOIN users u ON u.id = s.user_id \
             WHERE s.hash = $1"];
    BY_ID = ["SELECT s.id, s.user_id, s.last_used_at, s.expires_at, u.is_operator FROM sessions s JOIN users u ON u.id = s.user_id \
              WHERE s.id = $1"];
    LIST = ["SELECT ", SessionRow, " FROM sessions WHERE user_id = $1 AND expires_at > $2 AND last_used_at > $3 ORDER BY id DESC"];
    USED = ["UPDATE sessions SET last_used_at = $2 WHERE id = $1 AND last_used_at < $2"];
    REVOKE = ["DELETE FROM sessions WHERE user_id = $1 AND id = $2"];
    REVOKE_OTHERS = ["DELETE FROM sessions WHERE user_id = $1 AND id <> $2"];
    INSERT_RESET = ["INSERT INTO password_resets (token_hash, user_id, expires_at) VALUES ($1, $2, $3)"];
    FORGET_RESETS = ["DELETE FROM password_resets WHERE user_id = $1 OR expires_at <= $2"];
    RESET = ["SELECT user_id FROM password_resets WHERE token_hash = $1 AND expires_at > $2"];
}

/// Stores a session, and deletes the user's oldest ones beyond `most`.
pub async fn insert(tx: &mut Tx<'_>, new: NewSession<'_>, most: i64, now: Timestamp) -> Result<()> {
    let NewSession { id, hash, user, expires_at, address, user_agent } = new;
    run!(tx, INSERT, [hash, id, user, now, expires_at, address, user_agent], execute)?;
    run!(tx, OLDEST, [user, most], execute).map(drop)
}

/// The session of a cookie; it may have expired.
pub async fn find(conn: &mut Conn<'_>, hash: &[u8]) -> Result<Option<SignedIn>> {
    run!(conn, FIND, [hash], fetch_optional as SignedIn)
}

/// A session by its id; it may have expired.
pub async fn by_id(conn: &mut Conn<'_>, id: SessionId) -> Result<Option<SignedIn>> {
    run!(conn, BY_ID, [id], fetch_optional as SignedIn)
}

/// The user's sessions that are valid and were used after `idle_since`, newest first.
pub async fn list(conn: &mut Conn<'_>, user: UserId, idle_since: Timestamp, now: Timestamp) -> Result<Vec<SessionRow>> {
    run!(conn, LIST, [user, now, idle_since], fetch_all as SessionRow)
}

/// Notes the last use of a session.
pub async fn used(tx: &mut Tx<'_>, id: SessionId, at: Timestamp) -> Result<()> {
    run!(tx, USED, [id, at], execute).map(drop)
}

/// `false` if the user has no such session.
pub async fn revoke(tx: &mut Tx<'_>, user: UserId, id: SessionId) -> Result<bool> {
    Ok(run!(tx, REVOKE, [user, id], execute)? == 1)
}

/// Ends the user's sessions but `kept`; all for an id that is none of them.
pub async fn revoke_others(tx: &mut Tx<'_>, user: UserId, kept: SessionId) -> Result<()> {
    run!(tx, REVOKE_OTHERS, [user, kept], execute).map(drop)
}

/// Stores a one-time link to choose a password; earlier links of the user become invalid.
pub async fn insert_reset(tx: &mut Tx<'_>, token_hash: &[u8], user: UserId, expires_at: Timestamp, now: Timestamp) -> Result<()> {
    forget_resets(tx, user, now).await?;
    run!(tx, INSERT_RESET, [token_hash, user, expires_at], execute).map(drop)
}

/// Deletes the user's links, and all expired ones.
pub async fn forget_resets(tx: &mut Tx<'_>, user: UserId, now: Timestamp) -> Result<()> {
    run!(tx, FORGET_RESETS, [user, now], execute).map(drop)
}

/// User of a valid link.
pub async fn reset(conn: &mut Conn<'_>, token_hash: &[u8], now: Timestamp) -> Result<Option<UserId>> {
    Ok(run!(conn, RESET, [token_hash, now], fetch_optional as (UserId,))?.map(|(user,)| user))
}
