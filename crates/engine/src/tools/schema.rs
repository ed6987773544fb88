//! Helpers for the JSON Schemas and arguments of tools.

use serde_json::{Map, Value, json};

/// A text argument, trimmed; empty if absent.
pub(super) fn text_of(arguments: &Map<String, Value>, name: &str) -> String {
    arguments.get(name).and_then(Value::as_str).unwrap_or_default().trim().to_owned()
}

/// A schema of an object without other properties.
pub(crate) fn object(properties: Value, required: &[&str]) -> Value {
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}
