//! Converts the bytes of a response to JSON.

use domain::{json::Refused, limits::ANSWER_VALUES};
use serde_json::{Value, json};

/// JSON if it parses, else `{"text": …}`. `None` if it has more than [`ANSWER_VALUES`] values.
pub(crate) fn of(bytes: &[u8]) -> Option<Value> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match domain::json::parse(bytes, ANSWER_VALUES) {
        Ok(value) => Some(value),
        // Other formats have commas as well.
        Err(Refused::TooMany(_)) if matches!(bytes.trim_ascii_start().first(), Some(b'[' | b'{')) => None,
        Err(_) => Some(json!({ "text": String::from_utf8_lossy(bytes) })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_stays_json_and_other_bytes_become_text() {
        assert_eq!(of(br#"{"a":1}"#), Some(json!({"a": 1})));
        assert_eq!(of(b"[1]"), Some(json!([1])));
        assert_eq!(of(b"\xef\xbb\xbf7"), Some(json!(7)));
        assert_eq!(of(b"<html>"), Some(json!({"text": "<html>"})));
        assert_eq!(of(b""), Some(json!({"text": ""})));
        assert_eq!(of(b"a\xffb"), Some(json!({"text": "a\u{fffd}b"})));
        let deep = "[".repeat(10_000) + &"]".repeat(10_000);
        assert_eq!(of(deep.as_bytes()), Some(json!({"text": deep})));
    }

    #[test]
    fn answer_of_many_values_is_refused_unless_it_is_text() {
        let lists = "[],".repeat(200_000);
        assert_eq!(of(format!("[{lists}[]]").as_bytes()), None);
        assert_eq!(of(lists[3..].replace("[]", "x").as_bytes()).unwrap()["text"].as_str().unwrap().len(), 399_998);
    }
}
