//! Makes answers of models safe to store.

use domain::{
    chat::{ModelFailure, ModelFailureKind, ModelResponse, ToolCall},
    nesting,
};
use serde_json::Value;

/// Removes NUL, which PostgreSQL cannot store in text, and nesting that is too deep to be read
/// again.
pub(crate) fn storable(response: ModelResponse) -> ModelResponse {
    fn clean(value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(text.replace('\0', "")),
            Value::Array(items) => items.into_iter().map(clean).collect(),
            Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, clean(value))).collect(),
            other => other,
        }
    }
    let calls = response.tool_calls.into_iter();
    ModelResponse {
        text: response.text.map(|text| text.replace('\0', "")),
        tool_calls: calls
            .map(|call| ToolCall {
                name: call.name.replace('\0', ""),
                arguments: nesting::shallow(clean(call.arguments)),
                ..call
            })
            .collect(),
        ..response
    }
}

/// Keeps a provider's HTML page from filling the journal.
pub(crate) fn shortened(failure: ModelFailure) -> ModelFailure {
    let message: String = failure.message.chars().take(1_000).collect();
    if failure.kind != ModelFailureKind::Temporary {
        tracing::warn!(kind = ?failure.kind, %message, "the model provider refused the request");
    }
    ModelFailure { message, ..failure }
}
