//! The arguments of a call, as models write them (engine.md 5.4).
//!
//! What is plainly JSON with a slip is repaired: a comma too many, brackets left open, a marker of the model's own format
//! at the end. A text that breaks off inside a word or before a value is not: to complete it would be to guess.

use serde_json::{Map, Value};

/// Markers that some models leave behind a call.
const MARKERS: [&str; 9] =
    ["<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<|end|>", "<|call|>", "</tool_call>", "</function>", "</s>", "```"];

/// JSON in a string, as the protocols say; or an object, as some servers answer; or nothing, for a tool without any. What
/// is no JSON stays the text that it is.
pub(super) fn read(value: Option<&Value>) -> Value {
    match value {
        None | Some(Value::Null) => Value::Object(Map::new()),
        Some(Value::String(text)) if text.trim().is_empty() => Value::Object(Map::new()),
        Some(Value::String(text)) => {
            serde_json::from_str(text).ok().or_else(|| repaired(text)).unwrap_or_else(|| Value::String(text.clone()))
        }
        Some(other) => other.clone(),
    }
}

/// Whether nothing is missing: a call that a limit cut is never repaired.
pub(super) fn are_whole(value: Option<&Value>) -> bool {
    match value {
        Some(Value::String(text)) => serde_json::from_str::<Value>(text).is_ok(),
        Some(_) => true,
        None => false,
    }
}

fn repaired(text: &str) -> Option<Value> {
    let text = without_markers(text);
    serde_json::from_str(text).ok().or_else(|| serde_json::from_str(&closed(text)?).ok())
}

fn without_markers(text: &str) -> &str {
    let mut text = text.trim();
    text = text.strip_prefix("```json").or_else(|| text.strip_prefix("```")).unwrap_or(text).trim_start();
    while let Some(shorter) = MARKERS.iter().find_map(|marker| text.strip_suffix(marker)) {
        text = shorter.trim_end();
    }
    text
}

/// The text without commas before a bracket that closes, and with the brackets that it left open. `None` where it ends
/// inside a string.
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
        read(Some(&json!(text)))
    }

    #[test]
    fn slips_are_repaired() {
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
    fn what_breaks_off_is_not_guessed() {
        for text in [r#"{"x": "ye"#, r#"{"x":"#, r#"{"x"#, r#"{"x": tru"#, "{x: 1}", "hello", r#"{"x": 1]}"#, "}"] {
            assert_eq!(of(text), json!(text), "{text}");
        }
    }

    #[test]
    fn nothing_is_an_empty_object_and_an_object_is_itself() {
        assert_eq!((read(None), of(" ")), (json!({}), json!({})));
        assert_eq!(read(Some(&json!({"x": 2}))), json!({"x": 2}));
        assert!(are_whole(Some(&json!("{}"))) && !are_whole(Some(&json!(r#"{"x": 1"#))) && !are_whole(None));
    }
}
