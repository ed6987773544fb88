//! Answers to API requests with an `Idempotency-Key`, written in the transaction of their effect,
//! so that a request has one effect even if it is repeated concurrently (docs/spec/reliability.md
//! 6).

use crate::db::{Conn, Error, Result, Tx, rows, run, statements};
use domain::{Span, Timestamp, ids::ProjectId};

const KEPT: Span = Span::from_hours(24);

rows! {
    #[derive(Debug, Clone)]
    pub struct StoredAnswer {
        /// Identifies the request.
        pub request_hash: Vec<u8>,
        pub status: i64,
        /// JSON; empty for none.
        pub body: String,
    }
}

statements! {
    FORGET = ["DELETE FROM idempotency WHERE project_id = $1 AND key = $2 AND expires_at <= $3"];
    CLAIM = ["INSERT INTO idempotency (project_id, key, request_hash, status, body, expires_at) VALUES ($1, $2, $3, 0, '', $4) \
              ON CONFLICT (project_id, key) DO NOTHING"];
    FIND = ["SELECT ", StoredAnswer, " FROM idempotency WHERE project_id = $1 AND key = $2"];
    GIVEN = ["SELECT ", StoredAnswer, " FROM idempotency WHERE project_id = $1 AND key = $2 AND expires_at > $3"];
    ANSWER = ["UPDATE idempotency SET status = $3, body = $4 WHERE project_id = $1 AND key = $2"];
}

/// Claims the key for this transaction, or returns its stored answer. A concurrent transaction with
/// the key waits for this one, so a key is never visible without its answer.
pub async fn claim(
    tx: &mut Tx<'_>,
    project: ProjectId,
    key: &str,
    request_hash: &[u8],
    now: Timestamp,
) -> Result<Option<StoredAnswer>> {
    run!(tx, FORGET, [project, key, now], execute)?;
    if run!(tx, CLAIM, [project, key, request_hash, now + KEPT], execute)? > 0 {
        return Ok(None);
    }
    // The key existed when it was claimed: another node has deleted it in between.
    let found = run!(tx, FIND, [project, key], fetch_optional as StoredAnswer)?;
    found.map(Some).ok_or_else(|| Error::Retry("an idempotency key expired meanwhile".into()))
}

/// The stored answer of a key, without claiming it.
pub async fn find(conn: &mut Conn<'_>, project: ProjectId, key: &str, now: Timestamp) -> Result<Option<StoredAnswer>> {
    run!(conn, GIVEN, [project, key, now], fetch_optional as StoredAnswer)
}

/// Stores the answer of the claimed key.
pub async fn answer(tx: &mut Tx<'_>, project: ProjectId, key: &str, status: u16, body: &str) -> Result<()> {
    run!(tx, ANSWER, [project, key, i64::from(status), body], execute).map(drop)
}
