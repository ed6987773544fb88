//! Small types that every worker step shares.

use domain::{Span, Timestamp};

/// The result of one worker step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Did {
    /// It did something; there may be more.
    Something,
    /// Nothing is due.
    Nothing,
}

/// Rows read by one query for due work.
pub(crate) const BATCH: i64 = 64;

/// Due time of claimed or released work: due at once on every node, even one whose clock is wrong.
pub(crate) const IMMEDIATELY: Timestamp = Timestamp::from_secs(0);

/// Delay before failed work is tried again, so that it neither spins nor blocks other work.
pub(crate) fn retry_delay(error: &store::Error) -> Span {
    match error {
        // Only another version of the program or an operator can repair this.
        store::Error::Damaged { .. } => Span::from_secs(30),
        _ => Span::from_secs(1),
    }
}
