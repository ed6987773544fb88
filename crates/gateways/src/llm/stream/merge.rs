//! Joins pieces of JSON as streams send them: texts are continued, lists get more items, and an
//! item of the same type as the last one continues it.

use super::{Excess, Room};
use serde_json::{Map, Value};

/// Members that a later piece repeats instead of continuing them.
const REPEATED: [&str; 5] = ["type", "id", "index", "format", "signature"];
/// Parts of their own: pieces of them are not continued.
const WHOLE: [&str; 2] = ["reasoning.encrypted", "redacted_thinking"];

/// The text of a value; empty for other values.
pub(in crate::llm) fn text_of(value: Option<&Value>) -> &str {
    value.and_then(Value::as_str).unwrap_or_default()
}

/// Adds a piece to a value. Null adds nothing.
pub(in crate::llm) fn merge(into: &mut Value, piece: Value, room: &mut Room) -> Result<(), Excess> {
    match (into, piece) {
        (_, Value::Null) => Ok(()),
        (Value::String(text), Value::String(more)) => {
            room.text(&more)?;
            text.push_str(&more);
            Ok(())
        }
        (Value::Array(items), Value::Array(more)) => more.into_iter().try_for_each(|item| add(items, item, room)),
        // A text that goes on in typed parts, and the other way.
        (Value::Array(items), more @ Value::String(_)) => add(items, more, room),
        (into @ Value::String(_), Value::Array(more)) => {
            let text = into.take();
            *into = if text == "" { Value::Array(Vec::new()) } else { Value::Array(vec![text]) };
            merge(into, Value::Array(more), room)
        }
        (Value::Object(fields), Value::Object(more)) => merge_fields(fields, more, room),
        (into, other) => {
            room.value(&other)?;
            *into = other;
            Ok(())
        }
    }
}

fn merge_fields(fields: &mut Map<String, Value>, more: Map<String, Value>, room: &mut Room) -> Result<(), Excess> {
    for (name, value) in more {
        match fields.get_mut(&name) {
            Some(known) if REPEATED.contains(&name.as_str()) => {
                if !value.is_null() {
                    room.value(&value)?;
                    *known = value;
                }
            }
            Some(known) => merge(known, value, room)?,
            None => {
                room.text(&name)?;
                room.value(&value)?;
                fields.insert(name, value);
            }
        }
    }
    Ok(())
}

fn add(items: &mut Vec<Value>, item: Value, room: &mut Room) -> Result<(), Excess> {
    if let Some(last) = items.last_mut().filter(|last| continues(last, &item)) {
        return merge(last, item, room);
    }
    // A list in the place of a list is one more level; a list of texts is one text.
    room.value(&item)?;
    items.push(item);
    Ok(())
}

fn continues(last: &Value, item: &Value) -> bool {
    match (last, item) {
        (Value::String(_), Value::String(_)) => true,
        (Value::Object(last), Value::Object(item)) => {
            // A thought of Gemini has the type of a text.
            ["type", "index", "thought"].into_iter().all(|name| last.get(name) == item.get(name))
                && !WHOLE.contains(&text_of(item.get("type")))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn merged(pieces: Value) -> Value {
        let mut whole = Value::Null;
        let mut room = Room::of(10_000);
        for piece in pieces.as_array().unwrap() {
            merge(&mut whole, piece.clone(), &mut room).unwrap();
        }
        whole
    }

    #[test]
    fn pieces_become_the_value_that_comes_without_streaming() {
        for (pieces, expected) in [
            (json!(["a", null, "b"]), json!("ab")),
            (json!(["a", [{"type": "text", "text": "b"}]]), json!(["a", {"type": "text", "text": "b"}])),
            (
                // Magistral.
                json!([[{"type": "thinking", "thinking": [{"type": "text", "text": "h"}]}],
                    [{"type": "thinking", "thinking": [{"type": "text", "text": "m"}]}], "a", "b"]),
                json!([{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, "ab"]),
            ),
            (
                json!([[{"type": "text", "text": "h", "thought": true}], [{"type": "text", "text": "m", "thought": true}],
                    [{"type": "text", "text": "a"}], [{"type": "text", "text": "b"}]]),
                json!([{"type": "text", "text": "hm", "thought": true}, {"type": "text", "text": "ab"}]),
            ),
            (
                json!([[{"type": "reasoning.text", "text": "a", "index": 0}],
                    [{"type": "reasoning.text", "text": "b", "index": 0, "signature": "s"}],
                    [{"type": "reasoning.text", "text": "c", "index": 1}],
                    [{"type": "reasoning.encrypted", "data": "x"}], [{"type": "reasoning.encrypted", "data": "y"}]]),
                json!([{"type": "reasoning.text", "text": "ab", "index": 0, "signature": "s"},
                    {"type": "reasoning.text", "text": "c", "index": 1},
                    {"type": "reasoning.encrypted", "data": "x"}, {"type": "reasoning.encrypted", "data": "y"}]),
            ),
        ] {
            assert_eq!(merged(pieces), expected);
        }
    }

    #[test]
    fn pieces_beyond_the_room_are_refused() {
        let mut text = json!("a");
        assert_eq!(merge(&mut text, json!("bcd"), &mut Room::of(2)), Err(Excess::Bytes));
        let many: Value = vec![json!(1); domain::limits::MODEL_VALUES].into();
        assert_eq!(merge(&mut json!(null), many, &mut Room::of(1 << 20)), Err(Excess::Values));
    }
}
