//! Signed webhooks without effect, kept as evidence: unknown numbers, fields and shapes. One row
//! for equal bodies of a day.

use crate::db::{Conn, Result, Tx, run, statements};
use domain::{Span, Timestamp};

statements! {
    KEEP = ["INSERT INTO webhook_events (day, body_sha256, body, reason, received_at) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (day, body_sha256) DO NOTHING"];
    COUNT = ["SELECT count(*) FROM webhook_events"];
}

pub async fn keep(tx: &mut Tx<'_>, body_sha256: &[u8], body: &[u8], reason: &str, now: Timestamp) -> Result<()> {
    let day = now.micros() / Span::from_hours(24).micros();
    run!(tx, KEEP, [day, body_sha256, body, reason, now], execute).map(drop)
}

pub async fn count(conn: &mut Conn<'_>) -> Result<i64> {
    Ok(run!(conn, COUNT, [], fetch_one as (i64,))?.0)
}
