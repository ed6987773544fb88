//! Signed webhooks without effect, kept as evidence: unknown numbers, fields and shapes. One row
//! for equal bodies of a day.

use crate::db::{Conn, Result, Tx, run, statements};
use domain::{Span, Timestamp};

statements! {
    KEEP = ["INSERT INTO webhook_events (day, body_sha256, body, reason, received_at) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (day, body_sha256) DO NOTHING"];
    BODY = ["SELECT body FROM webhook_events WHERE day = $1 AND body_sha256 = $2"];
    COUNT = ["SELECT count(*) FROM webhook_events"];
}

pub async fn keep(tx: &mut Tx<'_>, body_sha256: &[u8], body: &[u8], reason: &str, now: Timestamp) -> Result<()> {
    run!(tx, KEEP, [day(now), body_sha256, body, reason, now], execute).map(drop)
}

/// Part of the key of a webhook that is kept at this time.
pub const fn day(now: Timestamp) -> i64 {
    now.micros() / Span::from_hours(24).micros()
}

/// The body of a kept webhook, unless it was swept.
pub async fn body(conn: &mut Conn<'_>, day: i64, body_sha256: &[u8]) -> Result<Option<Vec<u8>>> {
    Ok(run!(conn, BODY, [day, body_sha256], fetch_optional as (Vec<u8>,))?.map(|(body,)| body))
}

pub async fn count(conn: &mut Conn<'_>) -> Result<i64> {
    Ok(run!(conn, COUNT, [], fetch_one as (i64,))?.0)
}
