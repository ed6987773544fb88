//! Answers to API requests that named an `Idempotency-Key`: written in the transaction of their effect, so that the same
//! request has one effect however often and however parallel it is sent (reliability.md §6).

use crate::db::{Conn, Error, Result, Tx, rows, run, statements};
use domain::{Span, Timestamp, ids::ProjectId};

/// How long an answer is kept.
const KEPT: Span = Span::from_hours(24);

rows! {
    /// An answer that was given before.
    #[derive(Debug, Clone)]
    pub struct StoredAnswer {
        /// Tells the request that it answers from others.
        pub request_hash: Vec<u8>,
        /// HTTP status.
        pub status: i64,
        /// JSON; empty for none.
        pub body: String,
    }
}

statements! {
    FORGET = ["DELETE FROM idempotency WHERE project_id = $1 AND expires_at <= $2 AND (key = $3 OR key IN \
               (SELECT key FROM idempotency WHERE project_id = $1 AND expires_at <= $2 LIMIT 20))"];
    CLAIM = ["INSERT INTO idempotency (project_id, key, request_hash, status, body, expires_at) VALUES ($1, $2, $3, 0, '', $4) \
              ON CONFLICT (project_id, key) DO NOTHING"];
    FIND = ["SELECT ", StoredAnswer, " FROM idempotency WHERE project_id = $1 AND key = $2"];
    GIVEN = ["SELECT ", StoredAnswer, " FROM idempotency WHERE project_id = $1 AND key = $2 AND expires_at > $3"];
    ANSWER = ["UPDATE idempotency SET status = $3, body = $4 WHERE project_id = $1 AND key = $2"];
}

/// Takes the key for this transaction, or gives the answer that it had before. Another transaction with the key waits for
/// this one to end, so nobody sees a key without its answer. Some answers that are too old are forgotten on the way.
pub async fn claim(
    tx: &mut Tx<'_>,
    project: ProjectId,
    key: &str,
    request_hash: &[u8],
    now: Timestamp,
) -> Result<Option<StoredAnswer>> {
    run!(tx, FORGET, [project, now, key], execute)?;
    if run!(tx, CLAIM, [project, key, request_hash, now + KEPT], execute)? > 0 {
        return Ok(None);
    }
    // A key that was there when it was claimed and is not there now was forgotten by another node in between.
    let found = run!(tx, FIND, [project, key], fetch_optional as StoredAnswer)?;
    found.map(Some).ok_or_else(|| Error::Retry("an idempotency key was forgotten meanwhile".into()))
}

/// The answer that a key had before, without taking it.
pub async fn find(conn: &mut Conn<'_>, project: ProjectId, key: &str, now: Timestamp) -> Result<Option<StoredAnswer>> {
    run!(conn, GIVEN, [project, key, now], fetch_optional as StoredAnswer)
}

/// Keeps the answer of the claimed key.
pub async fn answer(tx: &mut Tx<'_>, project: ProjectId, key: &str, status: u16, body: &str) -> Result<()> {
    run!(tx, ANSWER, [project, key, i64::from(status), body], execute).map(drop)
}
