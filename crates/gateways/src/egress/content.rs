//! Converts the bytes of a response to JSON.

use serde_json::{Value, json};

/// JSON if it parses, else `{"text": …}`.
pub(super) fn of(bytes: &[u8]) -> Value {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    serde_json::from_slice(bytes).unwrap_or_else(|_| json!({ "text": String::from_utf8_lossy(bytes) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_stays_json_and_other_bytes_become_text() {
        assert_eq!(of(br#"{"a":1}"#), json!({"a": 1}));
        assert_eq!(of(b"[1]"), json!([1]));
        assert_eq!(of(b"\xef\xbb\xbf7"), json!(7));
        assert_eq!(of(b"<html>"), json!({"text": "<html>"}));
        assert_eq!(of(b""), json!({"text": ""}));
        assert_eq!(of(b"a\xffb"), json!({"text": "a\u{fffd}b"}));
        let deep = "[".repeat(10_000) + &"]".repeat(10_000);
        assert_eq!(of(deep.as_bytes()), json!({"text": deep}));
    }
}
