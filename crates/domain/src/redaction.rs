//! Removes secrets from texts that another system returned.
//!
//! It finds a secret as it is and in the common encodings. It is not complete: a system can return a
//! secret reversed, split, compressed or encrypted. So a secret must only be given to a system that
//! may have it.

use crate::agent::variables;
use base64::{
    Engine as _,
    alphabet::{STANDARD, URL_SAFE},
    engine::{GeneralPurpose, general_purpose::NO_PAD},
};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Shorter secrets, and shorter encoded pieces, occur in texts by chance.
const SHORTEST: usize = 4;
const REDACTED: &str = "[redacted]";

/// The spellings of some secrets, longest first.
pub struct Redaction {
    spellings: Vec<String>,
}

impl Redaction {
    pub fn of<'a>(secrets: impl Iterator<Item = &'a String>) -> Self {
        let long = secrets.filter(|secret| secret.len() >= SHORTEST);
        let all: BTreeSet<String> = long.flat_map(|secret| spellings(secret)).collect();
        let mut spellings: Vec<String> = all.into_iter().filter(|text| text.len() >= SHORTEST).collect();
        spellings.sort_by_key(|text| std::cmp::Reverse(text.len()));
        Self { spellings }
    }

    pub fn text(&self, text: String) -> String {
        self.spellings.iter().fold(text, |text, spelling| match text.contains(spelling.as_str()) {
            true => text.replace(spelling.as_str(), REDACTED),
            false => text,
        })
    }

    /// Redacts all texts and names of fields, and numbers that are a secret.
    pub(crate) fn value(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(items) => items.into_iter().map(|item| self.value(item)).collect(),
            Value::Object(fields) => {
                let fields = fields.into_iter().map(|(name, item)| (self.text(name), self.value(item)));
                fields.collect::<Map<_, _>>().into()
            }
            Value::Number(number) if self.spellings.contains(&number.to_string()) => REDACTED.into(),
            other => other,
        }
    }
}

fn spellings(secret: &str) -> Vec<String> {
    let percent = variables::percent_encoded(secret);
    let json = Value::from(secret).to_string();
    let json = json.trim_matches('"');
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut all = vec![
        secret.to_owned(),
        lower_hex(&percent),
        percent.replace("%20", "+"),
        percent,
        json.replace('/', "\\/"),
        ascii_json(json),
        json.to_owned(),
        hex.to_uppercase(),
        hex,
    ];
    for alphabet in [&STANDARD, &URL_SAFE] {
        let engine = GeneralPurpose::new(alphabet, NO_PAD);
        all.extend((0..3).map(|before| base64_within(&engine, secret, before)));
    }
    all
}

/// The digits of percent escapes in lower case.
fn lower_hex(percent: &str) -> String {
    let mut parts = percent.split('%');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (digits, rest) = part.split_at(2);
        text.extend(["%", &digits.to_lowercase(), rest]);
    }
    text
}

/// Escapes characters outside ASCII by their UTF-16 units, as many JSON writers do.
fn ascii_json(json: &str) -> String {
    let mut text = String::new();
    for c in json.chars() {
        if c.is_ascii() {
            text.push(c);
        } else {
            text.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    text
}

/// The digits that depend on the secret alone when `before` bytes precede it in its group of three:
/// so it is found inside longer encoded texts such as `user:secret`.
fn base64_within(engine: &GeneralPurpose, secret: &str, before: usize) -> String {
    let bytes = [&[0; 2][..before], secret.as_bytes()].concat();
    let encoded = engine.encode(&bytes);
    let (first, last) = ((before * 8).div_ceil(6), bytes.len() * 8 / 6);
    encoded.get(first..last).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const SECRET: &str = "clé/9 \"x\"+?~";

    fn redacted(secret: &str, text: &str) -> String {
        Redaction::of([secret.to_owned()].iter()).text(text.to_owned())
    }

    #[test]
    fn secret_is_found_in_common_encodings() {
        let standard = |text: String| GeneralPurpose::new(&STANDARD, NO_PAD).encode(text);
        let url_safe = |text: String| GeneralPurpose::new(&URL_SAFE, NO_PAD).encode(text);
        for text in [
            format!("key={SECRET}!"),
            "?k=cl%C3%A9%2F9%20%22x%22%2B%3F~&b".into(),
            "?k=cl%c3%a9%2f9%20%22x%22%2b%3f~&b".into(),
            "k=cl%C3%A9%2F9+%22x%22%2B%3F~".into(),
            json!({"k": SECRET}).to_string(),
            r#"{"k": "clé\/9 \"x\"+?~"}"#.into(),
            r#"{"k": "cl\u00e9/9 \"x\"+?~"}"#.into(),
            "636cc3a92f39202278222b3f7e".into(),
        ] {
            assert!(redacted(SECRET, &text).contains(REDACTED), "{text}");
        }
        for before in ["", "u:", "us:", "use:", "user:"] {
            for text in [standard(format!("{before}{SECRET} after")), url_safe(format!("{before}{SECRET} after"))] {
                assert!(redacted(SECRET, &text).contains(REDACTED), "{before} {text}");
            }
        }
    }

    #[test]
    fn numbers_and_names_are_redacted_and_others_stay() {
        let redaction = Redaction::of(["123456".to_owned()].iter());
        let value = redaction.value(json!({"pin": 123_456, "123456": [1, 1_234_567, "a 123456 b"]}));
        assert_eq!(value, json!({"pin": REDACTED, "[redacted]": [1, 1_234_567, "a [redacted] b"]}));
    }

    #[test]
    fn short_secrets_hide_nothing() {
        assert_eq!(redacted("abc", "abc abcd"), "abc abcd");
        assert_eq!(redacted("", "text"), "text");
    }
}
