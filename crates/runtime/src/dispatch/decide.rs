//! Decides what becomes of an entry after an attempt: accepted, queued again, failed, or waiting
//! for a status.

use domain::{Span, Timestamp};
use engine::SendOutcome;
use store::outbox::{OutboxRow, Policy, Settlement};

/// Attempts of an agent's message before it fails.
const MAX_ATTEMPTS: i64 = 6;

/// The message was not sent for certain: it is queued again, unless an agent has waited too long
/// for it.
pub(super) fn not_sent(row: &OutboxRow, now: Timestamp, after: Option<Span>, message: String) -> Settlement {
    let after = after.unwrap_or_else(|| backoff(row.attempt));
    let exhausted = row.execution_id.is_some() && row.attempt >= MAX_ATTEMPTS;
    if exhausted || too_late(row, now, after) {
        return Settlement::Failed { code: "send_failed", message };
    }
    Settlement::Queued { at: now + after, message }
}

/// No status reported within the window whether the message was sent.
pub(super) fn unconfirmed(row: &OutboxRow, now: Timestamp) -> Settlement {
    // For free-form messages a silent agent is worse than a repetition. Messages that may have
    // arrived are not repeated without limit.
    let may_repeat = row.policy == Policy::Retry;
    if may_repeat && row.attempt < MAX_ATTEMPTS && !too_late(row, now, Span::ZERO) {
        return Settlement::Queued { at: now, message: "no status was reported".into() };
    }
    Settlement::Unconfirmed
}

/// The outcome for the execution that waits, if the entry is settled.
pub(super) fn outcome(row: &OutboxRow, settlement: &Settlement) -> Option<SendOutcome> {
    let message_id = row.message_id.to_string();
    match settlement {
        Settlement::Accepted { .. } => Some(SendOutcome::Accepted { message_id }),
        Settlement::Failed { code, message } => {
            Some(SendOutcome::Failed { code: (*code).into(), message: message.clone() })
        }
        Settlement::Unconfirmed => Some(SendOutcome::Unconfirmed { message_id }),
        Settlement::Queued { .. } | Settlement::Unknown { .. } => None,
    }
}

fn too_late(row: &OutboxRow, now: Timestamp, after: Span) -> bool {
    now + after > row.give_up_at
}

/// One second, doubled with each attempt.
fn backoff(attempt: i64) -> Span {
    Span::from_secs(1 << attempt.clamp(1, 8).saturating_sub(1))
}
