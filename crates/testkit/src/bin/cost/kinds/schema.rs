//! A JSON Schema of a tool, and a value that is checked against it.

use crate::measure::{Bound, Case, Kind, MIB};
use domain::{json::bytes_of, limits::ANSWER_VALUES, schema};
use serde_json::{Value, json};
use std::hint::black_box;

pub static KIND: Kind = Kind {
    name: "schema",
    bound: Bound { work: (400, 256 * MIB), peak: (150, 16 * MIB) },
    most: 256 << 10,
    seeds,
    words: &[
        "$ref",
        "#",
        "#/$defs/a",
        "#/$defs/d1",
        "$defs",
        "definitions",
        "allOf",
        "anyOf",
        "oneOf",
        "not",
        "if",
        "then",
        "else",
        "properties",
        "patternProperties",
        "additionalProperties",
        "unevaluatedProperties",
        "propertyNames",
        "items",
        "prefixItems",
        "contains",
        "uniqueItems",
        "enum",
        "const",
        "required",
        "dependentSchemas",
        "type",
        "object",
        "array",
        "string",
        "pattern",
        "format",
        "regex",
        "email",
        "date-time",
        "minLength",
        "^(a|b){1,50}$",
        "(a{50}){50}",
        "\\p{L}{1,50}",
        "[^a]*",
        ".{1,200}",
        "(x+x+)+y",
        "c",
        "x",
        "k0",
        "p0",
        "$schema",
        "http://json-schema.org/draft-07/schema#",
        "contentSchema",
        "$id",
        "schema",
        "value",
    ],
    prepare,
};

fn seeds() -> Vec<Value> {
    let doubling = |keyword: &str| {
        json!({"schema": {"type": "object", "properties": {"x": {"$ref": "#/$defs/d0"}}, "$defs": {
            "d0": {keyword: [{"$ref": "#/$defs/d1"}, {"$ref": "#/$defs/d1"}]},
            "d1": {keyword: [{"$ref": "#/$defs/d2"}, {"$ref": "#/$defs/d2"}]},
            "d2": {"type": "string"}}}, "value": {"x": 1}})
    };
    let twice = json!({"properties": {"c": {"allOf": [{"$ref": "#"}, {"$ref": "#"}]}}});
    let fields = |of: Value| json!({"type": "object", "properties": {"$fields": 30, "name": "p$i", "of": of}});
    vec![
        doubling("allOf"),
        doubling("anyOf"),
        json!({"schema": twice, "value": {"$nest": 10, "in": "c", "of": {}}}),
        json!({"schema": fields(json!({"type": "string", "pattern": "(a{20}){2$i}"})), "value": {"p0": "aaa"}}),
        json!({"schema": {"properties": {"x": {"pattern": "^(a|b|ab){1,40}$"}}}, "value": {"x": {"$text": [{"$times": 500, "of": "ab"}]}}}),
        json!({"schema": {"patternProperties": {"^k[0-9]+$": {"type": "string"}}, "additionalProperties": false},
            "value": {"$fields": 200, "name": "k$i", "of": 1}}),
        json!({"schema": {"items": {"anyOf": [{"type": "string"}, {"type": "null"}, {"enum": [{"$times": 20, "of": "e$i"}]}]}},
            "value": [{"$times": 200, "of": 1}]}),
        json!({"schema": {"uniqueItems": true}, "value": [{"$times": 300, "of": {"a": "$i"}}]}),
        json!({"schema": {"unevaluatedProperties": false, "allOf": [{"properties": {"k0": {}}}]},
            "value": {"$fields": 100, "name": "k$i", "of": "x"}}),
        json!({"schema": fields(json!({"type": "object", "required": ["a", "b"]})), "value": {"$fields": 30, "name": "p$i", "of": {}}}),
    ]
}

fn prepare(input: &Value) -> Option<Case> {
    let (schema, value) = (input.get("schema")?.clone(), input.get("value")?.clone());
    if domain::json::exceeds(&value, ANSWER_VALUES) {
        return None;
    }
    let bytes = bytes_of(&schema) + bytes_of(&value);
    let work = move || {
        if let Ok(compiled) = schema::compiled(&schema) {
            black_box(compiled.check(&value));
        }
    };
    Some(Case { bytes, work: Box::new(work) })
}
