//! Reads the arguments of a call as models write them (docs/spec/engine.md 5.4).
//!
//! Repairs small mistakes in JSON: an extra comma, open brackets, a marker of the model's own
//! format at the end. A text that ends inside a word or before a value is not repaired: that would
//! be guessing.

use domain::{json, numbers};
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

/// Markers that some models append to a call.
const MARKERS: [&str; 9] =
    ["<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<|end|>", "<|call|>", "</tool_call>", "</function>", "</s>", "```"];

/// Reads JSON in a string (the protocol), an object (some servers) or nothing. Other text stays
/// text, as do arguments of more values than there is room for.
pub(super) fn read(value: Option<&Value>, room: &mut usize) -> Value {
    match value {
        None | Some(Value::Null) => Value::Object(Map::new()),
        Some(Value::String(text)) if text.trim().is_empty() => Value::Object(Map::new()),
        Some(Value::String(text)) => {
            let Some(left) = room.checked_sub(json::values_in(text.as_bytes())) else {
                return Value::String(text.clone());
            };
            *room = left;
            match whole(text) {
                // Parsing would round a number: the text has all its digits.
                Some((json, _)) if numbers::loses_digits(&json) => Value::String(json),
                Some((_, value)) => value,
                None => Value::String(text.clone()),
            }
        }
        Some(other) => other.clone(),
    }
}

/// True if the JSON is complete without repair.
pub(super) fn are_whole(value: Option<&Value>) -> bool {
    match value {
        Some(Value::String(text)) => serde_json::from_str::<IgnoredAny>(text).is_ok(),
        Some(_) => true,
        None => false,
    }
}

/// The JSON, repaired if needed, and its value.
fn whole(text: &str) -> Option<(String, Value)> {
    let parsed = |text: &str| Some((text.trim().to_owned(), serde_json::from_str(text).ok()?));
    let bare = without_markers(text);
    parsed(text).or_else(|| parsed(bare)).or_else(|| parsed(&closed(bare)?))
}

fn without_markers(text: &str) -> &str {
    let mut text = text.trim();
    text = text.strip_prefix("```json").or_else(|| text.strip_prefix("```")).unwrap_or(text).trim_start();
    while let Some(shorter) = MARKERS.iter().find_map(|marker| text.strip_suffix(marker)) {
        text = shorter.trim_end();
    }
    text
}

/// Removes commas before closing brackets and closes open ones. `None` if the text ends inside a
/// string.
fn closed(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len() + 8);
    let mut open = Vec::new();
    let (mut in_string, mut escaped) = (false, false);
    for c in text.chars() {
        if in_string {
            in_string = escaped || c != '"';
            escaped = !escaped && c == '\\';
        } else {
            match c {
                '"' => in_string = true,
                '{' => open.push('}'),
                '[' => open.push(']'),
                '}' | ']' => {
                    drop_comma(&mut out);
                    if open.pop() != Some(c) {
                        return None;
                    }
                }
                _ => {}
            }
        }
        out.push(c);
    }
    if in_string {
        return None;
    }
    drop_comma(&mut out);
    out.extend(open.into_iter().rev());
    Some(out)
}

fn drop_comma(out: &mut String) {
    if let Some(kept) = out.trim_end().strip_suffix(',') {
        out.truncate(kept.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(text: &str) -> Value {
        read(Some(&json!(text)), &mut 1_000)
    }

    #[test]
    fn small_json_mistakes_are_repaired() {
        for text in [
            r#"{"x": 1}"#,
            r#"{"x": 1,}"#,
            r#"{"x": 1"#,
            r#"{"x": 1, "#,
            r#"{"x": 1}<|im_end|>"#,
            r#"{"x": 1}</tool_call>  <|eot_id|>"#,
            "```json\n{\"x\": 1}\n```",
        ] {
            assert_eq!(of(text), json!({"x": 1}), "{text}");
        }
        assert_eq!(of(r#"{"a": [1, 2,], "b": {"c": "},]"#), json!(r#"{"a": [1, 2,], "b": {"c": "},]"#));
        assert_eq!(of(r#"{"a": [1, {"b": "x,]\"",}"#), json!({"a": [1, {"b": "x,]\""}]}));
    }

    #[test]
    fn numbers_that_would_be_rounded_stay_text() {
        assert_eq!(of(r#"{"id": 12345678901234567890123,}"#), json!(r#"{"id": 12345678901234567890123}"#));
        assert_eq!(of(r#"{"id": 12345678901234567}"#), json!({"id": 12_345_678_901_234_567_u64}));
    }

    #[test]
    fn truncated_json_is_not_completed() {
        for text in [r#"{"x": "ye"#, r#"{"x":"#, r#"{"x"#, r#"{"x": tru"#, "{x: 1}", "hello", r#"{"x": 1]}"#, "}"] {
            assert_eq!(of(text), json!(text), "{text}");
        }
    }

    #[test]
    fn arguments_of_too_many_values_stay_text() {
        let text = json!("[[],[],[]]");
        let mut room = 8;
        assert_eq!(read(Some(&text), &mut room), json!([[], [], []]));
        assert_eq!(read(Some(&text), &mut room), text);
    }

    #[test]
    fn missing_arguments_become_an_empty_object() {
        assert_eq!((read(None, &mut 0), of(" ")), (json!({}), json!({})));
        assert_eq!(read(Some(&json!({"x": 2})), &mut 0), json!({"x": 2}));
        assert!(are_whole(Some(&json!("{}"))) && !are_whole(Some(&json!(r#"{"x": 1"#))) && !are_whole(None));
    }
}
