//! The depth of stored JSON. JSON readers stop at 128 levels, and stored values wrap given ones: a
//! value at the limit would be written once and never read again.

use serde_json::Value;

/// Levels of lists and objects in a value that comes from outside.
pub const DEEPEST: usize = 64;

/// True if JSON is nested deeper than `levels`. Looks no deeper than that itself.
pub fn exceeds(value: &Value, levels: usize) -> bool {
    let Some(left) = levels.checked_sub(1) else { return value.is_array() || value.is_object() };
    match value {
        Value::Array(items) => items.iter().any(|item| exceeds(item, left)),
        Value::Object(map) => map.values().any(|item| exceeds(item, left)),
        _ => false,
    }
}

/// Replaces parts below the limit by their JSON text.
pub fn shallow(value: Value) -> Value {
    if exceeds(&value, DEEPEST) { cut(value, DEEPEST) } else { value }
}

fn cut(value: Value, levels: usize) -> Value {
    match value {
        Value::Array(_) | Value::Object(_) if levels == 0 => Value::String(value.to_string()),
        Value::Array(items) => items.into_iter().map(|item| cut(item, levels - 1)).collect(),
        Value::Object(fields) => fields.into_iter().map(|(name, field)| (name, cut(field, levels - 1))).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn nested(levels: usize) -> Value {
        (0..levels)
            .fold(json!("bottom"), |inner, level| if level % 2 == 0 { json!([inner]) } else { json!({"a": inner}) })
    }

    #[test]
    fn too_deep_parts_become_text() {
        assert_eq!(shallow(nested(DEEPEST)), nested(DEEPEST));
        let cut = shallow(json!({"deep": nested(DEEPEST + 3), "flat": [1]}));
        assert!(!exceeds(&cut, DEEPEST));
        assert_eq!(cut["flat"], json!([1]));
        assert!(cut.to_string().contains("bottom"), "nothing is lost");
    }
}
