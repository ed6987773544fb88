//! Checks arguments against a tool's schema, after harmless coercions (docs/spec/engine.md 3.4):
//! `"5"` to 5, `"true"` to true, a JSON text to the object that the schema wants. Nothing has
//! happened yet when they are rejected.

use domain::chat::ToolSpec;
use serde_json::{Map, Value, json};

/// Problems in one answer, and characters of each: they quote the model's text.
const MOST: usize = 10;
const LONGEST: usize = 300;

/// Returns the arguments, or the problems.
pub(crate) fn check(
    validator: Option<&jsonschema::Validator>,
    spec: &ToolSpec,
    given: &Value,
) -> Result<Map<String, Value>, Value> {
    let given = match given {
        Value::Null => Value::Object(Map::new()),
        Value::String(text) => serde_json::from_str(text).unwrap_or_else(|_| given.clone()),
        other => other.clone(),
    };
    let given = coerced(&spec.parameters, given);
    if let Some(validator) = validator {
        let problem = |error: jsonschema::ValidationError<'_>| {
            (error.instance_path().to_string(), error.to_string().chars().take(LONGEST).collect::<String>())
        };
        let mut problems: Vec<(String, String)> = validator.iter_errors(&given).map(problem).collect();
        if !problems.is_empty() {
            // Large schemas report in no fixed order, and a replay must read the same.
            problems.sort();
            problems.truncate(MOST);
            return Err(problems.iter().map(|(path, message)| json!({"path": path, "message": message})).collect());
        }
    }
    match given {
        Value::Object(arguments) => Ok(arguments),
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
            let parsed = serde_json::from_str::<Value>(&text).ok();
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
            let schema = schema.get("items").cloned().unwrap_or(Value::Null);
            Value::Array(items.into_iter().map(|item| coerced(&schema, item)).collect())
        }
        (_, value) => value,
    }
}
