//! Bytes of a webhook and their signature.
//!
//! Meta signs JSON in which every non-ASCII character is escaped, so a receiver that signs its own
//! re-serialised copy gets a different result. The emulator sends the same form to expose this.

use std::fmt::Write as _;

use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// Compact JSON with ASCII characters only.
pub(crate) fn ascii_json(value: &Value) -> Bytes {
    let json = value.to_string();
    let mut ascii = String::with_capacity(json.len());
    for letter in json.chars() {
        if letter.is_ascii() {
            ascii.push(letter);
            continue;
        }
        for unit in letter.encode_utf16(&mut [0; 2]) {
            // Writing to a String cannot fail.
            let _ = write!(ascii, "\\u{unit:04x}");
        }
    }
    Bytes::from(ascii)
}

/// Value of `X-Hub-Signature-256`.
pub(crate) fn signature(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(body);
    format!("sha256={}", hex(&mac.finalize().into_bytes()))
}

/// SHA-256 of a body, for the delivery log.
pub(crate) fn fingerprint(body: &[u8]) -> String {
    hex(&Sha256::digest(body))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use serde_json::json;

    use super::*;

    const VECTORS: &str = include_str!("../../../../fixtures/cloud-api/vx-001-signatures.json");

    #[test]
    fn signature_matches_valid_vectors_only() {
        let vectors: Value = serde_json::from_str(VECTORS).unwrap();
        let secret = vectors["app_secret"].as_str().unwrap();
        let mut seen = (0, 0);
        for vector in vectors["vectors"].as_array().unwrap() {
            let body = STANDARD.decode(vector["body_base64"].as_str().unwrap()).unwrap();
            let given = vector["x_hub_signature_256"].as_str().unwrap_or_default();
            // Meta's hex may be upper case; ours is always lower case.
            let equal = given.to_lowercase() == signature(secret, &body);
            assert_eq!(equal, vector["valid"].as_bool().unwrap(), "{}", vector["name"]);
            if equal { seen.0 += 1 } else { seen.1 += 1 }
        }
        assert_eq!(seen, (6, 7));
    }

    #[test]
    fn non_ascii_characters_are_escaped_without_changing_the_json() {
        let value = json!({"body": "Olá 👋 \"x\"\n"});
        let bytes = ascii_json(&value);
        assert_eq!(&bytes[..], br#"{"body":"Ol\u00e1 \ud83d\udc4b \"x\"\n"}"#);
        assert_eq!(serde_json::from_slice::<Value>(&bytes).unwrap(), value);
    }
}
