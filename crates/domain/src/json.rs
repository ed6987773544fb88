//! Bounds on JSON before it is parsed: a parsed value takes up to a hundred times the memory of its
//! text (`[[],[],…`). Counted over the bytes, so that an excessive text never becomes a tree.

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::io;

/// Bytes of memory that a parsed value takes per counted value, for caches.
pub const VALUE_BYTES: usize = 100;

/// A text that is not parsed.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    #[error("more than {0} JSON values")]
    TooMany(usize),
    #[error(transparent)]
    Malformed(#[from] serde_json::Error),
}

/// Parses a text of at most `most` values; see [`values_in`].
pub fn parse(text: &[u8], most: usize) -> Result<Value, Refused> {
    if values_in(text) > most {
        return Err(Refused::TooMany(most));
    }
    Ok(serde_json::from_slice(text)?)
}

/// Upper bound of the values of a JSON text, from its commas, colons and opening brackets outside
/// of strings: an empty list counts, and a field counts twice. Any text has a number.
pub fn values_in(text: &[u8]) -> usize {
    let (mut count, mut in_string, mut escaped) = (1, false, false);
    for byte in text {
        if in_string {
            in_string = escaped || *byte != b'"';
            escaped = !escaped && *byte == b'\\';
        } else {
            match byte {
                b'"' => in_string = true,
                b',' | b':' | b'[' | b'{' => count += 1,
                _ => {}
            }
        }
    }
    count
}

/// Values of a parsed value, counted until there are more than `most`.
pub fn exceeds(value: &Value, most: usize) -> bool {
    fn count(value: &Value, left: &mut usize) -> bool {
        let Some(rest) = left.checked_sub(1) else { return true };
        *left = rest;
        match value {
            Value::Array(items) => items.iter().any(|item| count(item, left)),
            Value::Object(fields) => fields.values().any(|field| count(field, left)),
            _ => false,
        }
    }
    count(value, &mut { most })
}

/// Bytes of a value as compact JSON.
pub fn bytes_of(value: &impl Serialize) -> usize {
    struct Counter(usize);
    impl io::Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut counter = Counter(0);
    // Counting never fails.
    let _ = serde_json::to_writer(&mut counter, value);
    counter.0
}

/// SHA-256 of a value, in hexadecimal; the order of members does not matter.
pub fn digest(value: &Value) -> String {
    Sha256::digest(sorted(value).to_string()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The value with the members of each object in order of their names.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut names: Vec<&String> = fields.keys().collect();
            names.sort_unstable();
            names.into_iter().map(|name| (name.clone(), sorted(&fields[name]))).collect()
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

/// Estimated memory of a parsed value: [`VALUE_BYTES`] for each value, and its text.
pub fn memory_of(value: &Value) -> usize {
    VALUE_BYTES
        + match value {
            Value::String(text) => text.len(),
            Value::Array(items) => items.iter().map(memory_of).sum(),
            Value::Object(fields) => fields.iter().map(|(name, field)| name.len() + memory_of(field)).sum(),
            _ => 0,
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn text_has_at_least_as_many_counted_as_parsed_values() {
        for (text, expected) in [
            ("1", 1),
            ("[]", 2),
            ("[1,2,3]", 4),
            ("[[],[]]", 5),
            (r#"{"a": 1, "b": [2]}"#, 6),
            (r#"{"a": "[,:{\"[,"}"#, 3),
            (r#"["\\",1]"#, 3),
        ] {
            assert_eq!(values_in(text.as_bytes()), expected, "{text}");
            let value: Value = serde_json::from_str(text).unwrap();
            assert!(!exceeds(&value, expected), "{text}");
            assert!(exceeds(&value, 0));
        }
    }

    #[test]
    fn excessive_text_is_refused_before_it_is_parsed() {
        assert_eq!(parse(b"[1,2]", 3).unwrap(), json!([1, 2]));
        let bomb = format!("[{}[]]", "[],".repeat(1_000_000));
        assert!(matches!(parse(bomb.as_bytes(), 100_000), Err(Refused::TooMany(100_000))));
        assert!(matches!(parse(b"[1", 10), Err(Refused::Malformed(_))));
    }

    #[test]
    fn bytes_are_those_of_compact_json() {
        let value = json!({"a": [1, "é\n"]});
        assert_eq!(bytes_of(&value), value.to_string().len());
    }

    #[test]
    fn digest_ignores_the_order_of_members_only() {
        let of = |text: &str| digest(&serde_json::from_str(text).unwrap());
        assert_eq!(of(r#"{"a": 1, "b": [{"c": 2, "d": 3}]}"#), of(r#"{"b": [{"d": 3, "c": 2}], "a": 1}"#));
        assert_ne!(of("[1, 2]"), of("[2, 1]"));
    }

    #[test]
    fn memory_counts_values_and_texts() {
        assert_eq!(memory_of(&json!({"ab": ["cde", 1]})), 4 * VALUE_BYTES + 5);
    }
}
