//! Small inputs that would cost gigabytes or hours without limits, for the tests that they harm no
//! other project and the bench of how much they slow it down.

use serde_json::{Map, Value, json};

/// 181 bytes, for a result of 2^30 texts.
pub fn query() -> String {
    format!("{}@", "[@,@]|".repeat(30))
}

/// Less than 1.8 kB, for 2^26 checks of `x`.
pub fn doubling(keyword: &str) -> Value {
    let part = |level: usize| {
        let next = json!({"$ref": format!("#/$defs/d{}", level + 1)});
        (format!("d{level}"), json!({keyword: [next, next]}))
    };
    let mut parts: Map<String, Value> = (0..26).map(part).collect();
    parts.insert("d26".into(), json!({"type": "string"}));
    json!({"type": "object", "properties": {"x": {"$ref": "#/$defs/d0"}}, "$defs": parts})
}

/// Checks each level of the value twice as often as the one above.
pub fn recursion() -> Value {
    json!({"type": "object", "properties": {"c": {"allOf": [{"$ref": "#"}, {"$ref": "#"}]}}})
}

/// Thirty patterns, each of a large automaton.
pub fn patterns() -> Value {
    let part = |n: usize| (format!("p{n}"), json!({"type": "string", "pattern": format!("(a{{1000}}){{100{n}}}")}));
    json!({"type": "object", "properties": (0..30).map(part).collect::<Map<_, _>>()})
}

/// A value for [`recursion`].
pub fn nested(levels: usize) -> Value {
    (0..levels).fold(json!({}), |inner, _| json!({"c": inner}))
}
