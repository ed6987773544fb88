//! Which kind of failure an HTTP answer or a broken connection is (engine.md 5.3).

use crate::wire;
use domain::chat::{ModelFailure, ModelFailureKind};

/// A failure that another try cannot help.
pub(super) fn permanent(message: impl Into<String>) -> ModelFailure {
    ModelFailure { kind: ModelFailureKind::Permanent, message: message.into(), retry_after_ms: None }
}

/// A failure that another try may help.
pub(super) fn temporary(message: impl Into<String>) -> ModelFailure {
    ModelFailure { kind: ModelFailureKind::Temporary, ..permanent(message) }
}

/// A provider is chosen and its key is not there.
pub(super) fn key_missing(message: impl Into<String>) -> ModelFailure {
    ModelFailure { kind: ModelFailureKind::KeyMissing, ..permanent(message) }
}

/// The kind that a status code stands for.
pub(super) fn for_status(status: u16, message: String, retry_after_ms: Option<i64>) -> ModelFailure {
    match status {
        408 | 409 | 429 | 500.. => ModelFailure { retry_after_ms, ..temporary(message) },
        _ => permanent(message),
    }
}

/// No answer at all: the connection failed, broke, or took too long.
pub(super) fn for_connection(error: &reqwest::Error) -> ModelFailure {
    temporary(format!("no answer from the model: {}", wire::explain(error)))
}
