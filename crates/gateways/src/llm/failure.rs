//! Classifies failed responses and connections (docs/spec/engine.md 5.3).

use crate::wire;
use domain::chat::{ModelFailure, ModelFailureKind};

/// A failure that a retry cannot fix.
pub(super) fn permanent(message: impl Into<String>) -> ModelFailure {
    ModelFailure { kind: ModelFailureKind::Permanent, message: message.into(), retry_after_ms: None }
}

/// A failure that a retry may fix.
pub(super) fn temporary(message: impl Into<String>) -> ModelFailure {
    ModelFailure { kind: ModelFailureKind::Temporary, ..permanent(message) }
}

/// The chosen provider has no key.
pub(super) fn key_missing(message: impl Into<String>) -> ModelFailure {
    ModelFailure { kind: ModelFailureKind::KeyMissing, ..permanent(message) }
}

/// Codes or message texts of providers for a request that is too long, and for a call without a
/// result.
const TOO_LONG: [&str; 6] = [
    "context_length_exceeded",
    "maximum context length",
    "context window",
    "prompt is too long",
    "input token count",
    "exceeds the available context size",
];
const BAD_HISTORY: [&str; 4] = [
    "tool_call_ids did not have response messages",
    "tool_use` ids were found without",
    "must be followed by tool messages",
    "function response parts",
];
/// A 429 that waiting does not fix.
const NO_CREDIT: [&str; 2] = ["insufficient_quota", "exceeded your current quota"];

/// Classifies a status code. `details` is the provider's whole message with its codes.
pub(super) fn for_status(status: u16, message: String, details: &str, retry_after_ms: Option<i64>) -> ModelFailure {
    let mentions = |words: &[&str]| words.iter().any(|word| details.contains(word));
    match status {
        429 if mentions(&NO_CREDIT) => permanent(message),
        408 | 409 | 429 | 500.. => ModelFailure { retry_after_ms, ..temporary(message) },
        400 | 413 | 422 if status == 413 || mentions(&TOO_LONG) => {
            ModelFailure { kind: ModelFailureKind::TooLong, ..permanent(message) }
        }
        400 | 422 if mentions(&BAD_HISTORY) => {
            ModelFailure { kind: ModelFailureKind::BadHistory, ..permanent(message) }
        }
        _ => permanent(message),
    }
}

/// The connection failed, broke or timed out.
pub(super) fn for_connection(error: &reqwest::Error) -> ModelFailure {
    temporary(format!("no answer from the model: {}", wire::explain(error)))
}
