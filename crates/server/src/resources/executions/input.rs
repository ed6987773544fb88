//! The `message` of create and resume: a text, or `{type, content}`.

use crate::ApiError;
use domain::execution::ExecutionInput;
use serde_json::Value;

/// Longest text, as for a message of WhatsApp.
const TEXT: usize = 4_096;

/// Reads it; `None` when absent or null.
pub(super) fn read(message: Option<Value>) -> Result<Option<ExecutionInput>, ApiError> {
    let (kind, content) = match message {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => return text_input(text).map(Some),
        Some(Value::Object(mut fields)) => (fields.remove("type"), fields.remove("content")),
        Some(_) => {
            return Err(ApiError::invalid(
                "/message",
                "wrong_type",
                "must be a text or an object with type and content",
            ));
        }
    };
    match kind.as_ref().and_then(Value::as_str) {
        Some("user_input") => match content.as_ref().and_then(|content| content.get("text")).and_then(Value::as_str) {
            Some(text) => text_input(text.to_owned()).map(Some),
            None => Err(ApiError::invalid("/message/content/text", "blank", "can't be blank")),
        },
        Some("payload") => Ok(Some(ExecutionInput::Payload { value: content.unwrap_or(Value::Null) })),
        _ => Err(ApiError::invalid("/message/type", "unknown_type", "must be user_input or payload")),
    }
}

fn text_input(text: String) -> Result<ExecutionInput, ApiError> {
    if text.trim().is_empty() {
        return Err(ApiError::invalid("/message", "blank", "can't be blank"));
    }
    if text.chars().count() > TEXT || text.contains('\0') {
        return Err(ApiError::invalid(
            "/message",
            "too_long",
            format!("must be at most {TEXT} characters, without NUL"),
        ));
    }
    Ok(ExecutionInput::UserInput { text })
}
