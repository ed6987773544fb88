//! Makes answers of models safe to store.

use domain::{
    chat::{ModelFailure, ModelFailureKind, ModelResponse, Opaque, ToolCall},
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
    let opaque = response.opaque.map(|opaque| Opaque { parts: nesting::shallow(clean(opaque.parts)), ..opaque });
    ModelResponse {
        text: response.text.map(|text| text.replace('\0', "")),
        reasoning: response.reasoning.map(|text| text.replace('\0', "")),
        tool_calls: calls
            .map(|call| ToolCall {
                name: call.name.replace('\0', ""),
                arguments: nesting::shallow(clean(call.arguments)),
                ..call
            })
            .collect(),
        opaque,
        ..response
    }
}

/// Logs a failure for the operator, whose model it is, and keeps its class for the project: a
/// provider's message may name the operator's account, address or quota.
pub(crate) fn class_of(failure: ModelFailure) -> ModelFailure {
    let message: String = failure.message.chars().take(1_000).collect();
    let class = match failure.kind {
        ModelFailureKind::Temporary => {
            tracing::info!(%message, "model call failed; it is repeated");
            "the model gave no answer"
        }
        ModelFailureKind::Permanent => "the model refused the request",
        ModelFailureKind::KeyMissing => "the model has no key",
        ModelFailureKind::ProviderMissing => "the model's provider does not exist",
        ModelFailureKind::TooLong => "the conversation is longer than the model accepts",
        ModelFailureKind::BadHistory => "the model refused the history of the conversation",
        ModelFailureKind::Adapted => {
            tracing::info!(class = failure.class, %message, "the model refused the form of the request; it takes another");
            "the model refused the form of the request; it is asked in another"
        }
        ModelFailureKind::Filtered => "the filter of the model's provider refused the message",
        ModelFailureKind::Malformed => "the model wrote a call that cannot be read",
        ModelFailureKind::ToolRefused => "the model's provider refused a tool",
    };
    if !matches!(failure.kind, ModelFailureKind::Temporary | ModelFailureKind::Adapted) {
        tracing::warn!(kind = ?failure.kind, class = failure.class, %message, "the model provider refused the request");
    }
    // The gateway's messages begin with the status, if there was an answer.
    let status = message.split(':').next().filter(|status| status.starts_with("HTTP ") && status.len() == 8);
    let class = status.map_or_else(|| class.to_owned(), |status| format!("{class} ({status})"));
    ModelFailure { message: class, ..failure }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn projects_see_the_class_and_the_status_of_a_failure_only() {
        let shown = |kind, message: &str| {
            class_of(ModelFailure { kind, message: message.into(), retry_after_ms: Some(1), ..ModelFailure::default() })
        };
        let refused = shown(ModelFailureKind::Permanent, "HTTP 401: org-123 has no access; key sk-1234");
        assert_eq!(refused.message, "the model refused the request (HTTP 401)");
        let silent = shown(ModelFailureKind::Temporary, "cannot connect to models.internal:8080");
        assert_eq!(silent.message, "the model gave no answer");
        assert_eq!((silent.kind, silent.retry_after_ms), (ModelFailureKind::Temporary, Some(1)));
    }
}
