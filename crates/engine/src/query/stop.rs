//! The end of a query without a result.

use jmespath::{ErrorReason, JmespathError, RuntimeError};

/// Reason why a query ends without a result.
pub(super) enum Stop {
    TooLarge,
    Failed(String),
}

/// An error at a character of the query, in the words of the crate.
pub(super) fn failed(query: &str, offset: usize, error: RuntimeError) -> Stop {
    Stop::Failed(JmespathError::new(query, offset, ErrorReason::Runtime(error)).to_string())
}
