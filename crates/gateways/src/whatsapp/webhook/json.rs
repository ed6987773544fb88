//! A tolerant JSON reader for webhooks.

use super::Malformed;
use domain::{Timestamp, json::values_in, limits::WEBHOOK_VALUES};
use serde_json::{Map, Value};

/// The first second of the year 10000. Later times are mistakes, such as milliseconds.
const LAST_SECOND: i64 = 253_402_300_800;

/// Skips a byte-order mark, replaces lone surrogates by U+FFFD, removes NUL, keeps the last of
/// repeated keys. Refuses more than 128 levels of nesting, which could exhaust the stack.
pub(super) fn read(body: &[u8]) -> Result<Map<String, Value>, Malformed> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let text = std::str::from_utf8(body).map_err(|_| Malformed::NotUtf8)?;
    if values_in(body) > WEBHOOK_VALUES {
        return Err(Malformed::TooManyValues);
    }
    let mut value: Value = serde_json::from_str(text)
        .or_else(|_| serde_json::from_str(&replace_lone_surrogates(text)))
        .map_err(|_| Malformed::NotJson)?;
    if text.contains("\\u0000") {
        remove_nul(&mut value);
    }
    match value {
        Value::Object(map) => Ok(map),
        _ => Err(Malformed::NotAnObject),
    }
}

/// Replaces escaped lone surrogates, as in cut texts, by U+FFFD.
fn replace_lone_surrogates(text: &str) -> String {
    let mut text_out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        text_out.push_str(&rest[..at]);
        rest = &rest[at..];
        let length = match (escaped_unit(rest), rest.get(6..).and_then(escaped_unit)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 12,
            (Some(0xd800..=0xdfff), _) => {
                text_out.push_str("\\ufffd");
                rest = &rest[6..];
                continue;
            }
            (Some(_), _) => 6,
            // `\\` is one escape: its second half starts none.
            (None, _) => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
        };
        text_out.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    text_out + rest
}

fn escaped_unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then_some(())?;
    u16::from_str_radix(digits, 16).ok()
}

fn remove_nul(value: &mut Value) {
    match value {
        Value::String(text) => text.retain(|letter| letter != '\0'),
        Value::Array(list) => list.iter_mut().for_each(remove_nul),
        Value::Object(map) => {
            let with_nul = map.keys().any(|key| key.contains('\0'));
            map.values_mut().for_each(remove_nul);
            if with_nul {
                *map = std::mem::take(map).into_iter().map(|(key, value)| (key.replace('\0', ""), value)).collect();
            }
        }
        _ => {}
    }
}

/// An id as text, or as a number in some webhooks.
pub(super) fn id(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Possibly empty.
pub(super) fn text(value: Option<&Value>) -> Option<String> {
    value?.as_str().map(str::to_owned)
}

/// Unix seconds as text or number; `None` for anything else or out of range.
pub(super) fn time(value: Option<&Value>) -> Option<Timestamp> {
    let seconds = match value? {
        Value::String(text) => text.trim().parse().ok()?,
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().map(|n| n as i64))?,
        _ => return None,
    };
    (1..LAST_SECOND).contains(&seconds).then(|| Timestamp::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn body(text: &str) -> Value {
        read(format!(r#"{{"t":"{text}"}}"#).as_bytes()).unwrap()["t"].clone()
    }

    #[test]
    fn lone_surrogates_are_replaced_and_pairs_are_kept() {
        for (escaped, expected) in [
            (r"\ud83d", "\u{fffd}"),
            (r"\uDE42x", "\u{fffd}x"),
            (r"a\ud83d\ud83d\ude42b", "a\u{fffd}🙂b"),
            (r"\ud83dxyz é 🙂", "\u{fffd}xyz é 🙂"),
            (r"\ud83d\n", "\u{fffd}\n"),
            (r"\\ud83d \ud83d", "\\ud83d \u{fffd}"),
            (r"\ud83d\u0041", "\u{fffd}A"),
            (r"\ud83d\ud83d", "\u{fffd}\u{fffd}"),
        ] {
            assert_eq!(body(escaped), json!(expected), "{escaped}");
        }
    }

    #[test]
    fn nul_is_removed_from_texts_and_names() {
        assert_eq!(body(r"a\u0000b"), json!("ab"));
        let nested = read(br#"{"k\u0000":[{"x":"\u0000"}],"y":1}"#).unwrap();
        assert_eq!(Value::Object(nested), json!({"k": [{"x": ""}], "y": 1}));
        assert_eq!(body(r"a\\u0000b"), json!(r"a\u0000b"));
    }

    #[test]
    fn body_without_json_object_is_refused() {
        for (bytes, expected) in [
            (&b""[..], Malformed::NotJson),
            (b"{", Malformed::NotJson),
            (b"[]", Malformed::NotAnObject),
            (b"null", Malformed::NotAnObject),
            (b"\"\\", Malformed::NotJson),
            (b"{\"a\":\"\\u\"}", Malformed::NotJson),
            (b"{\"a\":\"\\ud8", Malformed::NotJson),
            (b"\xff", Malformed::NotUtf8),
        ] {
            assert_eq!(read(bytes), Err(expected), "{}", String::from_utf8_lossy(bytes));
        }
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(5_000), "]".repeat(5_000));
        assert_eq!(read(deep.as_bytes()), Err(Malformed::NotJson));
    }

    #[test]
    fn times_are_seconds_as_text_or_number() {
        let expected = Some(Timestamp::from_secs(1_790_000_001));
        for good in [json!("1790000001"), json!(1_790_000_001), json!(" 1790000001 ")] {
            assert_eq!(time(Some(&good)), expected, "{good}");
        }
        let bad = [json!("yesterday"), json!(""), json!(null), json!(0), json!(-5), json!([])];
        for odd in bad.into_iter().chain([json!(1_790_000_001_000i64), json!("9e99"), json!(9e99)]) {
            assert_eq!(time(Some(&odd)), None, "{odd}");
        }
        assert_eq!(time(None), None);
    }
}
