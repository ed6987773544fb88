//! Checks arguments against a tool's schema, after harmless coercions (docs/spec/engine.md 3.4):
//! `"5"` to 5, `"true"` to true, a JSON text to the object that the schema wants, `null` for an
//! optional argument to no argument. Nothing has happened yet when they are rejected.

use domain::{
    chat::ToolSpec,
    json,
    limits::{MODEL_VALUES, REQUEST_BYTES},
    numbers,
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

/// Returns the arguments, or the problems. `rules` are those of the execution.
pub(crate) fn check(spec: &ToolSpec, given: &Value, rules: u32) -> Result<Checked, Value> {
    if json::bytes_of(given) > REQUEST_BYTES {
        return Err(json!([{"path": "", "message": "the arguments are too large"}]));
    }
    let mut marked = false;
    let given = match given {
        Value::Null => Value::Object(Map::new()),
        Value::String(text) => {
            let exact = if rules >= 2 { numbers::marked(text) } else { None };
            marked = exact.is_some();
            let text = exact.as_deref().unwrap_or(text);
            json::parse(text.as_bytes(), MODEL_VALUES).unwrap_or_else(|_| given.clone())
        }
        other => other.clone(),
    };
    // Numbers are checked as the nearest 64-bit number and passed on with all their digits.
    let exact =
        (marked || rules >= 2).then(|| coerced(&spec.parameters, given.clone(), Coercion { rules, exact: true }));
    let given = coerced(&spec.parameters, given, Coercion { rules, exact: false });
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
    match exact.unwrap_or(given) {
        Value::Object(arguments) => Ok(Checked { arguments, unchecked }),
        _ => Err(json!([{"path": "", "message": "the arguments are not an object"}])),
    }
}

#[derive(Clone, Copy)]
struct Coercion {
    rules: u32,
    /// Numbers that would lose digits stay marked ([`numbers`]).
    exact: bool,
}

impl Coercion {
    fn number(self, digits: &str) -> Value {
        if self.exact && numbers::loses_digits(digits) {
            return Value::String(numbers::mark(digits));
        }
        serde_json::from_str(digits).unwrap_or_else(|_| Value::String(digits.to_owned()))
    }
}

/// The types of a schema: one, or since rules 2 a list of them.
fn kinds(schema: &Value, rules: u32) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(kind)) => vec![kind],
        Some(Value::Array(kinds)) if rules >= 2 => kinds.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn coerced(schema: &Value, value: Value, how: Coercion) -> Value {
    let kinds = kinds(schema, how.rules);
    let any = |wanted: &[&str]| kinds.iter().any(|kind| wanted.contains(kind));
    match value {
        Value::String(text) => match numbers::digits(&text) {
            Some(digits) if any(&["string"]) && !any(&["integer", "number"]) => Value::String(digits.to_owned()),
            Some(digits) => how.number(digits),
            None if any(&["string"]) => Value::String(text),
            None => coerced_text(schema, text, &kinds, how),
        },
        Value::Number(number) if any(&["string"]) && !any(&["integer", "number"]) => Value::String(number.to_string()),
        Value::Object(mut fields) if any(&["object"]) => {
            if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
                for (name, property) in properties {
                    if how.rules >= 2 && fields.get(name) == Some(&Value::Null) && left_out(schema, name, property) {
                        fields.shift_remove(name);
                    } else if let Some(field) = fields.get_mut(name) {
                        *field = coerced(property, field.take(), how);
                    }
                }
            }
            Value::Object(without_marks_left(fields, how))
        }
        Value::Array(items) if any(&["array"]) => {
            let schema = schema.get("items").unwrap_or(&Value::Null);
            Value::Array(items.into_iter().map(|item| coerced(schema, item, how)).collect())
        }
        value => plain(value, how),
    }
}

/// A text where the schema wants another type.
fn coerced_text(schema: &Value, text: String, kinds: &[&str], how: Coercion) -> Value {
    let any = |wanted: &[&str]| kinds.iter().any(|kind| wanted.contains(kind));
    let trimmed = text.trim();
    if any(&["integer", "number"]) && serde_json::from_str::<serde_json::Number>(trimmed).is_ok() {
        return how.number(trimmed);
    }
    if any(&["boolean"]) && matches!(trimmed, "true" | "false") {
        return Value::Bool(trimmed == "true");
    }
    if any(&["object", "array"]) {
        let parsed = json::parse(text.as_bytes(), MODEL_VALUES).ok();
        let fits = |value: &Value| (value.is_object() && any(&["object"])) || (value.is_array() && any(&["array"]));
        return parsed.filter(fits).map_or(Value::String(text), |value| coerced(schema, value, how));
    }
    Value::String(text)
}

/// True for an optional property that cannot be null.
fn left_out(schema: &Value, name: &str, property: &Value) -> bool {
    let required = schema.get("required").and_then(Value::as_array);
    let required = required.is_some_and(|names| names.iter().any(|required| required == name));
    let kinds = kinds(property, 2);
    let values = property.get("enum").and_then(Value::as_array);
    let refused = values.is_some_and(|values| !values.contains(&Value::Null));
    !required && ((!kinds.is_empty() && !kinds.contains(&"null")) || refused)
}

/// Values without a schema: marked numbers inside of them are numbers.
fn plain(value: Value, how: Coercion) -> Value {
    match value {
        Value::String(text) => match numbers::digits(&text) {
            Some(digits) => how.number(digits),
            None => Value::String(text),
        },
        Value::Array(items) => Value::Array(items.into_iter().map(|item| plain(item, how)).collect()),
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, plain(value, how))).collect(),
        other => other,
    }
}

fn without_marks_left(fields: Map<String, Value>, how: Coercion) -> Map<String, Value> {
    // Fields without a property are marked still; those with one are done already.
    fields.into_iter().map(|(name, value)| (name, plain(value, how))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(schema: Value, given: &Value, rules: u32) -> Result<Value, Value> {
        let parameters =
            json!({"type": "object", "properties": {"x": schema, "y": {"type": "string"}}, "required": ["y"]});
        let spec = ToolSpec { name: "t".into(), description: String::new(), parameters };
        let mut given = given.clone();
        if let Some(fields) = given.as_object_mut() {
            fields.entry("y").or_insert(json!("y"));
        }
        check(&spec, &given, rules).map(|checked| checked.arguments.get("x").cloned().unwrap_or_default())
    }

    #[test]
    fn null_of_an_optional_argument_is_left_out() {
        let integer = json!({"type": "integer"});
        assert_eq!(checked(integer.clone(), &json!({"x": null}), 2), Ok(Value::Null));
        assert!(checked(integer.clone(), &json!({"x": null}), 1).is_err(), "older executions replay as they ran");
        assert!(checked(integer, &json!({"y": null}), 2).is_err(), "a required one is missing");
        let spec = |given: &Value| {
            let parameters =
                json!({"type": "object", "properties": {"x": {"type": ["string", "null"]}, "z": {"enum": [1]}}});
            check(&ToolSpec { name: "t".into(), description: String::new(), parameters }, given, 2).unwrap().arguments
        };
        assert_eq!(
            Value::Object(spec(&json!({"x": null, "z": null}))),
            json!({"x": null}),
            "null is a value where it is allowed"
        );
    }

    #[test]
    fn type_lists_coerce_like_single_types() {
        for (kinds, given, expected) in [
            (json!(["integer", "null"]), json!("5"), json!(5)),
            (json!(["boolean", "null"]), json!("true"), json!(true)),
            (json!(["string", "null"]), json!(5), json!("5")),
            (json!(["object", "null"]), json!(r#"{"a":1}"#), json!({"a": 1})),
            (json!(["array", "null"]), json!("[1]"), json!([1])),
            (json!(["string", "integer"]), json!("5"), json!("5")),
            (json!(["string", "integer"]), json!(5), json!(5)),
        ] {
            assert_eq!(checked(json!({"type": kinds}), &json!({"x": given}), 2), Ok(expected), "{kinds} {given}");
        }
        assert!(checked(json!({"type": ["integer", "null"]}), &json!({"x": "5"}), 1).is_err());
    }

    #[test]
    fn numbers_keep_all_their_digits() {
        let long = "12345678901234567890123";
        let given = json!(format!(r#"{{"x": {long}, "y": "y"}}"#));
        for schema in [json!({"type": "integer"}), json!({"type": ["number", "null"]}), json!({})] {
            let value = checked(schema, &given, 2).unwrap();
            assert_eq!(numbers::unmarked(value.to_string()), long);
        }
        assert_eq!(checked(json!({"type": "string"}), &given, 2), Ok(json!(long)));
        assert_eq!(
            checked(json!({"type": "integer"}), &json!({"x": long}), 2)
                .map(|value| numbers::unmarked(value.to_string())),
            Ok(long.into())
        );
        let nested = json!(format!(r#"{{"x": {{"ids": [{long}]}}, "y": "y"}}"#));
        let value = checked(json!({"type": "object"}), &nested, 2).unwrap();
        assert_eq!(numbers::unmarked(value.to_string()), format!(r#"{{"ids":[{long}]}}"#));
    }
}
