//! Helpers for the JSON Schemas and arguments of tools.

use crate::{answer, step_builder::StepBuilder};
use serde_json::{Map, Value, json};

/// A text argument, trimmed; empty if absent.
pub(super) fn text_of(arguments: &Map<String, Value>, name: &str) -> String {
    arguments.get(name).and_then(Value::as_str).unwrap_or_default().trim().to_owned()
}

/// A text argument that a person will read, without reasoning and marks of the model's format.
/// `Err`: the model wrote something, but nothing of it may be sent.
pub(super) fn words_of(
    step: &StepBuilder<'_>,
    arguments: &Map<String, Value>,
    name: &str,
) -> Result<String, &'static str> {
    let text = text_of(arguments, name);
    if step.state.facts.rules < 2 || text.is_empty() {
        return Ok(text);
    }
    answer::sayable(&text).map(|said| step.for_phone(said)).ok_or("the message holds no words for the person")
}

/// A schema of an object without other properties.
pub(crate) fn object(properties: Value, required: &[&str]) -> Value {
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}
