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

/// What providers call a question that is too long, and a call without a result. Codes where they have them; the rest are
/// words of their messages.
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
/// A 429 that no waiting helps.
const NO_CREDIT: [&str; 2] = ["insufficient_quota", "exceeded your current quota"];

/// The kind that a status code stands for; `said` is all that the provider said, its codes included.
pub(super) fn for_status(status: u16, message: String, said: &str, retry_after_ms: Option<i64>) -> ModelFailure {
    let says = |words: &[&str]| words.iter().any(|word| said.contains(word));
    match status {
        429 if says(&NO_CREDIT) => permanent(message),
        408 | 409 | 429 | 500.. => ModelFailure { retry_after_ms, ..temporary(message) },
        400 | 413 | 422 if status == 413 || says(&TOO_LONG) => {
            ModelFailure { kind: ModelFailureKind::TooLong, ..permanent(message) }
        }
        400 | 422 if says(&BAD_HISTORY) => ModelFailure { kind: ModelFailureKind::BadHistory, ..permanent(message) },
        _ => permanent(message),
    }
}

/// No answer at all: the connection failed, broke, or took too long.
pub(super) fn for_connection(error: &reqwest::Error) -> ModelFailure {
    temporary(format!("no answer from the model: {}", wire::explain(error)))
}
