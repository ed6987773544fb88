//! Checks arguments against a tool's schema, after harmless coercions (docs/spec/engine.md 3.4):
//! `"5"` to 5, `"true"` to true, a JSON text to the object that the schema wants. Nothing has
//! happened yet when they are rejected.

use domain::{
    chat::ToolSpec,
    json,
    limits::{MODEL_VALUES, REQUEST_BYTES},
    schema::{self, Answer},
};
use serde_json::{Map, Value, json};

/// Arguments that may be used.
#[derive(Debug)]
pub(crate) struct Checked {
    pub arguments: Map<String, Value>,
    /// Reason why they were not checked: the schema was stored before the limits of schemas.
    pub unchecked: Option<String>,
}

/// Returns the arguments, or the problems.
pub(crate) fn check(spec: &ToolSpec, given: &Value) -> Result<Checked, Value> {
    if json::bytes_of(given) > REQUEST_BYTES {
        return Err(json!([{"path": "", "message": "the arguments are too large"}]));
    }
    let given = match given {
        Value::Null => Value::Object(Map::new()),
        Value::String(text) => json::parse(text.as_bytes(), MODEL_VALUES).unwrap_or_else(|_| given.clone()),
        other => other.clone(),
    };
    let given = coerced(&spec.parameters, given);
    let unchecked = match schema::compiled(&spec.parameters) {
        Ok(schema) => match schema.check(&given) {
            Answer::Valid => None,
            Answer::Invalid(problems) => {
                return Err(problems.iter().map(|one| json!({"path": one.path, "message": one.message})).collect());
            }
            Answer::TooLarge => {
                return Err(json!([{"path": "", "message": "the arguments are too large to be checked"}]));
            }
        },
        Err(why) => Some(why),
    };
    match given {
        Value::Object(arguments) => Ok(Checked { arguments, unchecked }),
        _ => Err(json!([{"path": "", "message": "the arguments are not an object"}])),
    }
}

fn coerced(schema: &Value, value: Value) -> Value {
    match (schema.get("type").and_then(Value::as_str), value) {
        (Some("integer" | "number"), Value::String(text)) => {
            let number = serde_json::from_str::<Value>(text.trim()).ok().filter(Value::is_number);
            number.unwrap_or(Value::String(text))
        }
        (Some("boolean"), Value::String(text)) => match text.trim() {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ => Value::String(text),
        },
        (Some("string"), Value::Number(number)) => Value::String(number.to_string()),
        (Some(kind @ ("object" | "array")), Value::String(text)) => {
            let parsed = json::parse(text.as_bytes(), MODEL_VALUES).ok();
            let fits = |value: &Value| if kind == "object" { value.is_object() } else { value.is_array() };
            parsed.filter(fits).map_or(Value::String(text), |value| coerced(schema, value))
        }
        (Some("object"), Value::Object(mut fields)) => {
            if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
                for (name, schema) in properties {
                    if let Some(field) = fields.get_mut(name) {
                        *field = coerced(schema, field.take());
                    }
                }
            }
            Value::Object(fields)
        }
        (Some("array"), Value::Array(items)) => {
            let schema = schema.get("items").unwrap_or(&Value::Null);
            Value::Array(items.into_iter().map(|item| coerced(schema, item)).collect())
        }
        (_, value) => value,
    }
}
