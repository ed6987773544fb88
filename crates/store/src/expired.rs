//! Deletes rows whose stated life is over, of all projects, a few in each transaction.

use crate::{
    db::{Result, Tx, run, statements},
    webhook_events,
};
use domain::{Span, Timestamp, words};

/// Days that raw webhooks are kept.
const WEBHOOK_DAYS: i64 = 14;
/// Days that a change of a message waits for the message: Meta repeats a webhook for up to seven
/// days (developers.facebook.com, WhatsApp Business Platform, Webhooks).
const CHANGE_LIFE: Span = Span::from_hours(7 * 24);

words! {
    /// Rows that expire, by the name of their table.
    pub enum Expired {
        /// Answers to requests with an `Idempotency-Key`.
        Answers = "idempotency",
        /// Raw webhooks, with the notes that hold them for the proof of a number.
        Webhooks = "webhook_events",
        /// Changes of messages that never arrived.
        Changes = "waiting_changes",
        /// Sign-in codes, used or not.
        Codes = "cli_logins",
        /// Tokens of command lines.
        Tokens = "cli_tokens",
        /// Sessions of people.
        Sessions = "sessions",
    }
}

impl Expired {
    /// Most rows of one transaction. A webhook may have 4 MiB; a code or token may have rights in
    /// several projects.
    const fn step(self) -> i64 {
        match self {
            Self::Answers | Self::Changes => 1_000,
            Self::Webhooks => 50,
            Self::Codes | Self::Tokens | Self::Sessions => 200,
        }
    }
}

statements! {
    ANSWERS = ["DELETE FROM idempotency WHERE (project_id, key) IN \
                (SELECT project_id, key FROM idempotency WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)"];
    WEBHOOKS = ["DELETE FROM webhook_events WHERE (day, body_sha256) IN \
                 (SELECT day, body_sha256 FROM webhook_events WHERE day < $1 ORDER BY day, body_sha256 LIMIT $2)"];
    CHANGES = ["DELETE FROM waiting_changes WHERE (project_id, phone_number_id, wamid) IN \
                (SELECT project_id, phone_number_id, wamid FROM waiting_changes WHERE created_at <= $1 ORDER BY created_at LIMIT $2)"];
    RIGHTS_OF_CODES = ["DELETE FROM cli_access WHERE holder IN \
                        (SELECT code_hash FROM cli_logins WHERE expires_at <= $1 ORDER BY expires_at, code_hash LIMIT $2)"];
    CODES = ["DELETE FROM cli_logins WHERE code_hash IN \
              (SELECT code_hash FROM cli_logins WHERE expires_at <= $1 ORDER BY expires_at, code_hash LIMIT $2)"];
    RIGHTS_OF_TOKENS = ["DELETE FROM cli_access WHERE holder IN \
                         (SELECT hash FROM cli_tokens WHERE expires_at <= $1 ORDER BY expires_at, lookup LIMIT $2)"];
    TOKENS = ["DELETE FROM cli_tokens WHERE lookup IN \
               (SELECT lookup FROM cli_tokens WHERE expires_at <= $1 ORDER BY expires_at, lookup LIMIT $2)"];
    SESSIONS = ["DELETE FROM sessions WHERE hash IN \
                 (SELECT hash FROM sessions WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)"];
}

/// Rows that one transaction deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deleted {
    pub rows: u64,
    /// There may be more.
    pub more: bool,
}

/// Deletes some expired rows of one kind.
pub async fn delete(tx: &mut Tx<'_>, expired: Expired, now: Timestamp) -> Result<Deleted> {
    let step = expired.step();
    let rows = match expired {
        Expired::Answers => run!(tx, ANSWERS, [now, step], execute)?,
        Expired::Webhooks => run!(tx, WEBHOOKS, [webhook_events::day(now) - WEBHOOK_DAYS, step], execute)?,
        Expired::Changes => run!(tx, CHANGES, [now - CHANGE_LIFE, step], execute)?,
        Expired::Codes => {
            run!(tx, RIGHTS_OF_CODES, [now, step], execute)?;
            run!(tx, CODES, [now, step], execute)?
        }
        Expired::Tokens => {
            run!(tx, RIGHTS_OF_TOKENS, [now, step], execute)?;
            run!(tx, TOKENS, [now, step], execute)?
        }
        Expired::Sessions => run!(tx, SESSIONS, [now, step], execute)?,
    };
    Ok(Deleted { rows, more: i64::try_from(rows).unwrap_or(i64::MAX) >= step })
}
