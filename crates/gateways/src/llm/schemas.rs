//! Makes schemas of tools acceptable to each provider. Only the form changes: the engine checks
//! arguments against the tool's own schema.

use super::dialect::Dialect;
use domain::chat::ToolSpec;
use serde_json::{Map, Value, json};

/// Longest description of a tool (OpenAI).
const DESCRIPTION: usize = 1_024;
/// References are replaced by what they name, up to this depth.
const DEPTH: usize = 8;
/// Keywords of Gemini's subset of OpenAPI
/// (https://ai.google.dev/api/caching#Schema).
const NARROW: [&str; 17] = [
    "type",
    "format",
    "title",
    "description",
    "nullable",
    "enum",
    "properties",
    "required",
    "items",
    "minItems",
    "maxItems",
    "anyOf",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "pattern",
];
const UNIONS: [&str; 3] = ["anyOf", "oneOf", "allOf"];

/// Schema of an object for the arguments; `None` where the provider wants none for a tool without
/// arguments.
pub(super) fn parameters(dialect: Dialect, schema: &Value) -> Option<Value> {
    let mut object = flattened(inlined(schema, schema, 0));
    object.insert("type".into(), "object".into());
    if !object.get("properties").is_some_and(Value::is_object) {
        object.insert("properties".into(), json!({}));
    }
    let schema = tidy(Value::Object(object), dialect.has_narrow_schemas());
    // Gemini: "should be non-empty for OBJECT type".
    let bare = schema["properties"].as_object().is_none_or(Map::is_empty);
    (!(bare && dialect.has_narrow_schemas())).then_some(schema)
}

pub(super) fn description(tool: &ToolSpec) -> &str {
    let text = tool.description.as_str();
    text.char_indices().nth(DESCRIPTION).map_or(text, |(end, _)| &text[..end])
}

/// Replaces references within the schema.
fn inlined(schema: &Value, root: &Value, depth: usize) -> Value {
    match schema {
        Value::Object(fields) => {
            if let Some(place) = fields.get("$ref").and_then(Value::as_str) {
                let named = place.strip_prefix('#').and_then(|pointer| root.pointer(pointer));
                return match named.filter(|_| depth < DEPTH) {
                    Some(named) => inlined(named, root, depth + 1),
                    None => json!({}),
                };
            }
            let kept =
                fields.iter().filter(|(name, _)| !matches!(name.as_str(), "$defs" | "definitions" | "$schema" | "$id"));
            Value::Object(kept.map(|(name, value)| (name.clone(), inlined(value, root, depth))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(|item| inlined(item, root, depth)).collect()),
        other => other.clone(),
    }
}

/// Merges unions at the top, which OpenAI and Anthropic refuse, into one object. A property is
/// required if every alternative, or any part of `allOf`, requires it.
fn flattened(schema: Value) -> Map<String, Value> {
    let Value::Object(mut object) = schema else { return Map::new() };
    for union in UNIONS {
        let Some(Value::Array(parts)) = object.remove(union) else { continue };
        let mut required: Option<Vec<Value>> = None;
        for part in parts {
            let part = flattened(part);
            for (name, value) in part.get("properties").and_then(Value::as_object).into_iter().flatten() {
                let properties = object.entry("properties").or_insert_with(|| json!({}));
                if let Some(properties) = properties.as_object_mut() {
                    properties.entry(name.clone()).or_insert_with(|| value.clone());
                }
            }
            let own: Vec<Value> = part.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
            required = Some(match required {
                None => own,
                Some(before) if union == "allOf" => before.into_iter().chain(own).collect(),
                Some(before) => before.into_iter().filter(|name| own.contains(name)).collect(),
            });
        }
        let all = object.entry("required").or_insert_with(|| json!([]));
        if let Some(all) = all.as_array_mut() {
            all.extend(required.unwrap_or_default());
        }
    }
    for refused in ["enum", "not", "const", "if", "then", "else"] {
        object.remove(refused);
    }
    object
}

/// Repairs what some provider refuses, at every depth.
fn tidy(schema: Value, narrow: bool) -> Value {
    let Value::Object(mut object) = schema else {
        // `true`, `false` and other values: anything.
        return json!({"type": "string"});
    };
    single_type(&mut object, narrow);
    if narrow {
        if let Some(Value::Array(options)) = object.remove("oneOf") {
            object.entry("anyOf").or_insert(Value::Array(options));
        }
        if let Some(value) = object.remove("const") {
            object.insert("enum".into(), json!([value]));
        }
        object.retain(|name, _| NARROW.contains(&name.as_str()));
        // Others are refused: "only 'enum' and 'date-time' are supported for STRING type".
        if object.get("type") == Some(&json!("string")) {
            object.retain(|name, value| name != "format" || *value == "enum" || *value == "date-time");
        }
    }
    if narrow && let Some(Value::Array(options)) = object.get_mut("enum") {
        let words = options.iter().filter(|option| !option.is_null()).map(|option| match option {
            Value::String(word) => word.clone(),
            other => other.to_string(),
        });
        *options = words.filter(|word| !word.is_empty()).map(Value::String).collect();
        object.insert("type".into(), "string".into());
    }
    if object.get("enum").is_some_and(|options| options.as_array().is_none_or(Vec::is_empty)) {
        object.remove("enum");
    }
    if object.get("type") == Some(&json!("array")) && !object.get("items").is_some_and(Value::is_object) {
        object.insert("items".into(), if narrow { json!({"type": "string"}) } else { json!({}) });
    }
    if let Some(Value::Object(properties)) = object.get_mut("properties") {
        for value in properties.values_mut() {
            *value = tidy(value.take(), narrow);
        }
    }
    let has_items = |items: &&mut Value| narrow || items.as_object().is_some_and(|items| !items.is_empty());
    if let Some(items) = object.get_mut("items").filter(has_items) {
        *items = tidy(items.take(), narrow);
    }
    for union in UNIONS {
        if let Some(Value::Array(options)) = object.get_mut(union) {
            for option in options {
                *option = tidy(option.take(), narrow);
            }
        }
    }
    let names: Vec<String> = object
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(name, _)| name.clone())
        .collect();
    if let Some(required) = object.get_mut("required") {
        let mut kept: Vec<String> = Vec::new();
        for name in required.as_array().into_iter().flatten().filter_map(Value::as_str) {
            if names.iter().any(|known| known == name) && !kept.iter().any(|known| known == name) {
                kept.push(name.to_owned());
            }
        }
        *required = json!(kept);
    }
    if object.get("required").is_some_and(|required| required.as_array().is_none_or(Vec::is_empty)) {
        object.remove("required");
    }
    if narrow {
        typed(&mut object);
    }
    Value::Object(object)
}

/// One type in place of a list of types.
fn single_type(object: &mut Map<String, Value>, narrow: bool) {
    let Some(Value::Array(types)) = object.get("type").cloned() else { return };
    let nullable = types.iter().any(|one| one == "null");
    let others: Vec<&Value> = types.iter().filter(|one| *one != "null").collect();
    if !narrow && others.len() > 1 {
        return;
    }
    let first = others.first().map_or_else(|| Value::from("string"), |first| (*first).clone());
    object.insert("type".into(), first);
    if narrow && nullable {
        object.insert("nullable".into(), true.into());
    }
    if !narrow && nullable && others.len() == 1 {
        object.insert("type".into(), json!([others[0], "null"]));
    }
}

/// Gemini wants a type everywhere, and properties of every object: an object of any shape is asked
/// for as text, which the engine reads as JSON.
fn typed(object: &mut Map<String, Value>) {
    if object.contains_key("anyOf") {
        return;
    }
    let empty = object.get("properties").and_then(Value::as_object).is_none_or(Map::is_empty);
    match object.get("type").and_then(Value::as_str) {
        Some("object") if empty => {
            object.insert("type".into(), "string".into());
            object.remove("properties");
            object.entry("description").or_insert_with(|| "A JSON object.".into());
        }
        None => {
            object.insert("type".into(), if empty { "string" } else { "object" }.into());
        }
        Some(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(dialect: Dialect, schema: Value) -> Value {
        parameters(dialect, &schema).unwrap_or(Value::Null)
    }

    #[test]
    fn schema_without_properties_gets_them_or_is_left_out() {
        for schema in [json!({}), json!({"type": "object"}), json!({"type": ["object", "null"]}), json!(true)] {
            assert_eq!(of(Dialect::OpenAi, schema.clone()), json!({"type": "object", "properties": {}}), "{schema}");
            assert_eq!(of(Dialect::Gemini, schema), Value::Null);
        }
    }

    #[test]
    fn top_level_unions_become_one_object() {
        let schema = json!({"anyOf": [
            {"type": "object", "properties": {"a": {"type": "string"}, "c": {"type": "string"}}, "required": ["a", "c"]},
            {"type": "object", "properties": {"b": {"type": "string"}, "c": {"type": "string"}}, "required": ["c"]}]});
        let flat = of(Dialect::Anthropic, schema);
        assert_eq!(flat["required"], json!(["c"]));
        assert_eq!(flat["properties"].as_object().unwrap().len(), 3);
        assert!(UNIONS.iter().all(|union| flat.get(union).is_none()));
    }

    #[test]
    fn gemini_gets_only_keywords_of_openapi() {
        let schema = json!({"type": "object", "additionalProperties": false, "$defs": {"n": {"type": ["integer", "null"], "exclusiveMinimum": 1}},
            "properties": {"a": {"$ref": "#/$defs/n"}, "b": {"type": "array"}, "c": {"enum": []}, "d": {"type": "object"},
                "e": {"const": 3}, "f": {"type": "string", "format": "uri"}}, "required": ["a", "x", "a"]});
        assert_eq!(
            of(Dialect::Gemini, schema),
            json!({"type": "object", "required": ["a"], "properties": {
                "a": {"type": "integer", "nullable": true},
                "b": {"type": "array", "items": {"type": "string"}},
                "c": {"type": "string"},
                "d": {"type": "string", "description": "A JSON object."},
                "e": {"type": "string", "enum": ["3"]},
                "f": {"type": "string"}}})
        );
    }

    #[test]
    fn arrays_have_items_and_enums_options_everywhere() {
        let schema =
            json!({"type": "object", "properties": {"a": {"type": "array"}, "b": {"type": "string", "enum": []}}});
        let tidy = of(Dialect::OpenAi, schema);
        assert_eq!(tidy["properties"], json!({"a": {"type": "array", "items": {}}, "b": {"type": "string"}}));
    }

    #[test]
    fn description_is_cut_at_a_character() {
        let tool = ToolSpec { name: "t".into(), description: "é".repeat(2_000), parameters: json!({}) };
        assert_eq!(description(&tool).chars().count(), DESCRIPTION);
    }
}
