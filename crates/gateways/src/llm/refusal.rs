//! A response that is not an answer, and the bounds of an answer.

use super::failure;
use domain::{chat::ModelFailure, json::Refused};
use serde_json::Value;

/// Longer responses are not read. Far above any real one.
pub(super) const ANSWER_BYTES: usize = 16 << 20;

/// A response that is not an answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refusal {
    pub status: u16,
    /// For people, without the key.
    pub message: String,
    /// The body.
    pub details: String,
    /// Wait that a header asks for.
    pub wait_ms: Option<i64>,
}

impl Refusal {
    /// A response with status 200 that is not usable.
    pub(super) fn broken(message: &str) -> Self {
        Self { status: 502, message: message.to_owned(), details: message.to_owned(), wait_ms: None }
    }

    /// An error in the place of an answer, in a response with status 200 or in a stream. It has the
    /// status that it would have had before the answer began.
    pub(super) fn of_error(error: &Value, message: String) -> Self {
        Self { status: status_of(error), message, details: error.to_string(), wait_ms: None }
    }
}

/// Statuses of errors without a number: those of Anthropic
/// (https://docs.anthropic.com/en/api/errors), whose words others use too.
const STATUSES: [(&str, u16); 9] = [
    ("invalid_request_error", 400),
    ("authentication_error", 401),
    ("permission_error", 403),
    ("not_found_error", 404),
    ("request_too_large", 413),
    ("insufficient_quota", 429),
    ("rate_limit", 429),
    ("timeout_error", 504),
    ("overloaded_error", 529),
];

fn status_of(error: &Value) -> u16 {
    let number = |name: &str| match error.get(name)? {
        Value::Number(number) => u16::try_from(number.as_u64()?).ok(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    let number = ["code", "status"].into_iter().find_map(number).filter(|status| (400..600).contains(status));
    let named = || {
        let words = ["type", "code"].map(|name| error.get(name).and_then(Value::as_str).unwrap_or_default());
        STATUSES.iter().find(|(word, _)| words.iter().any(|words| words.contains(word))).map(|(_, status)| *status)
    };
    number.or_else(named).unwrap_or(502)
}

/// A body that is not JSON, or too much of it.
pub(super) fn unread(refused: &Refused) -> Refusal {
    Refusal::broken(match refused {
        Refused::TooMany(_) => "the model's answer has too many JSON values",
        Refused::Malformed(_) => "the model's answer is not JSON",
    })
}

/// The answer has more bytes than are read.
pub(super) fn too_long() -> ModelFailure {
    failure::permanent("the model's answer is longer than 16 MiB")
}
