use super::*;
use serde_json::{Value, json};

/// `d0` refers twice to `d1`, and so on.
fn doubling(levels: usize, keyword: &str) -> Value {
    let part = |level: usize| {
        let next = json!({"$ref": format!("#/$defs/d{}", level + 1)});
        (format!("d{level}"), json!({keyword: [next, next]}))
    };
    let mut parts: serde_json::Map<String, Value> = (0..levels).map(part).collect();
    parts.insert(format!("d{levels}"), json!({"type": "string"}));
    json!({"type": "object", "properties": {"x": {"$ref": "#/$defs/d0"}}, "$defs": parts})
}

fn refused(schema: &Value) -> String {
    Schema::compile(schema).unwrap_err()
}

#[test]
fn references_that_double_are_refused() {
    for keyword in ["allOf", "anyOf", "oneOf"] {
        let schema = doubling(26, keyword);
        assert!(schema.to_string().len() < 1_800);
        assert!(refused(&schema).contains("expanded"), "{keyword}");
    }
    assert!(refused(&doubling(13, "allOf")).contains("10000 parts"));
    let fine = Schema::compile(&doubling(8, "allOf")).unwrap();
    assert_eq!(fine.check(&json!({"x": "a"})), Answer::Valid);
    let Answer::Invalid(problems) = fine.check(&json!({"x": 1})) else { panic!("invalid") };
    assert_eq!(problems.len(), 10);
    assert!(problems.iter().all(|problem| problem.path == "/x"));
}

#[test]
fn chains_of_references_are_refused() {
    let part = |level: usize| (format!("d{level}"), json!({"$ref": format!("#/$defs/d{}", level + 1)}));
    let mut parts: serde_json::Map<String, Value> = (0..1_000).map(part).collect();
    parts.insert("d1000".into(), json!({}));
    assert!(refused(&json!({"$ref": "#/$defs/d0", "$defs": parts})).contains("deeper"));
}

#[test]
fn large_patterns_are_refused() {
    for pattern in ["(a{1000}){1000}", "((a{100}){100}){100}", "\\p{L}{1,400}"] {
        for schema in [
            json!({"properties": {"x": {"type": "string", "pattern": pattern}}}),
            json!({"patternProperties": {pattern: {}}}),
            // The schema of schemas asks for a pattern here as well.
            json!({"$defs": {"unused": {"pattern": pattern}}}),
            json!({"$schema": "http://json-schema.org/draft-07/schema#", "definitions": {"unused": {"pattern": pattern}}}),
        ] {
            assert!(refused(&schema).contains("pattern"), "{schema}");
        }
    }
    let many: serde_json::Map<String, Value> =
        (0..33).map(|n| (format!("p{n}"), json!({"pattern": n.to_string()}))).collect();
    assert!(refused(&json!({"properties": many})).contains("32 patterns"));
    let ordinary =
        json!({"properties": {"email": {"pattern": "^[^@\\s]+@[^@\\s]+$"}, "name": {"pattern": "^.{1,255}$"}}});
    let ordinary = Schema::compile(&ordinary).unwrap();
    assert_eq!(ordinary.check(&json!({"email": "a@b", "name": "é".repeat(255)})), Answer::Valid);
    assert!(matches!(ordinary.check(&json!({"email": "a"})), Answer::Invalid(_)));
}

#[test]
fn long_schemas_and_foreign_references_are_refused() {
    assert!(refused(&json!({"description": "x".repeat(65 << 10)})).contains("bytes"));
    for reference in ["other.json", "#anchor", "http://json-schema.org/draft-07/schema#", "#/missing", "#/%zz"] {
        assert!(refused(&json!({"properties": {"x": {"$ref": reference}}})).contains("$ref"), "{reference}");
    }
    assert!(refused(&json!({"properties": {"x": {"$id": "https://x.test/x"}}})).contains("$id"));
    assert!(refused(&json!({"properties": {"x": {"$dynamicRef": "#x"}}})).contains("$dynamicRef"));
    assert!(refused(&json!({"type": "strange"})).contains("not a JSON Schema"));
}

#[test]
fn ordinary_schemas_are_accepted() {
    for schema in [
        json!({"type": "object", "properties": {"$ref": {"type": "string"}, "id": {"type": "string"}, "items": {}}}),
        json!({"$schema": "http://json-schema.org/draft-07/schema#", "$id": "https://x.test/root",
            "definitions": {"a b": {"type": "string"}, "named": {"$id": "#named"}},
            "properties": {"x": {"$ref": "#/definitions/a%20b"}}}),
        json!({"properties": {"child": {"$ref": "#"}, "children": {"type": "array", "items": {"$ref": "#"}}}}),
        json!({"$schema": "http://json-schema.org/draft-07/schema#", "items": [{"type": "string"}, true], "additionalItems": false, "dependencies": {"a": ["b"], "c": {"type": "object"}}}),
        json!(true),
    ] {
        Schema::compile(&schema).unwrap();
    }
}

#[test]
fn recursion_that_doubles_with_the_value_is_counted() {
    let twice = json!({"properties": {"c": {"allOf": [{"$ref": "#"}, {"$ref": "#"}]}}});
    let schema = Schema::compile(&twice).unwrap();
    let nested = |levels| (0..levels).fold(json!({}), |inner, _| json!({"c": inner}));
    assert_eq!(schema.check(&nested(5)), Answer::Valid);
    assert_eq!(schema.check(&nested(60)), Answer::TooLarge);
}

#[test]
fn deepest_value_fits_the_stack_of_a_thread() {
    let run = || {
        let schema = Schema::compile(&json!({"properties": {"c": {"allOf": [{"anyOf": [{"$ref": "#"}]}]}}})).unwrap();
        for levels in 1..128 {
            let value = (0..levels).fold(json!(1), |inner, _| json!({"c": inner}));
            schema.check(&value);
        }
    };
    std::thread::Builder::new().stack_size(2 << 20).spawn(run).unwrap().join().unwrap();
}

#[test]
fn patterns_are_charged_by_their_size_and_the_text() {
    let schema = |pattern: &str| Schema::compile(&json!({"properties": {"x": {"pattern": pattern}}})).unwrap();
    assert_eq!(schema("^[^<>]*$").check(&json!({"x": "a".repeat(50_000)})), Answer::Valid);
    assert_eq!(schema("(a?){2000}b").check(&json!({"x": "a".repeat(50_000)})), Answer::TooLarge);
}

#[test]
fn errors_of_large_values_are_not_listed() {
    let schema =
        Schema::compile(&json!({"properties": {"list": {"items": {"anyOf": [{"type": "string"}, {"type": "null"}]}}}}));
    let schema = schema.unwrap();
    let value = |count| json!({"list": vec![1; count]});
    let Answer::Invalid(few) = schema.check(&value(100)) else { panic!("invalid") };
    assert_eq!((few.len(), few[0].path.as_str()), (10, "/list/0"));
    let Answer::Invalid(one) = schema.check(&value(50_000)) else { panic!("invalid") };
    assert_eq!(one, [Problem::general()]);
    assert_eq!(schema.check(&value(1_000_000)), Answer::TooLarge);
}

#[test]
fn slow_answer_is_kept() {
    let schema = Schema::compile(&json!({"properties": {"list": {"items": {"type": "string"}}}})).unwrap();
    let (slow, quick) = (json!({"list": vec!["x"; 10_000]}), json!({"list": ["x"]}));
    assert_eq!(schema.check(&quick), Answer::Valid);
    assert_eq!(schema.slow.lock().unwrap().len(), 0);
    for _ in 0..2 {
        assert_eq!(schema.check(&slow), Answer::Valid);
        assert_eq!(schema.slow.lock().unwrap().len(), 1);
    }
}

#[test]
fn texts_of_values_are_not_compiled_as_patterns() {
    let schema =
        json!({"$schema": "http://json-schema.org/draft-07/schema#", "properties": {"x": {"format": "regex"}}});
    assert_eq!(Schema::compile(&schema).unwrap().check(&json!({"x": "(a{1000}){1000}"})), Answer::Valid);
}
