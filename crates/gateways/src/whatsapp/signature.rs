//! Signatures of Meta's webhooks: the only proof of a delivery's origin.
//!
//! A signature covers the raw bytes as received. Several secrets may be valid at once: several apps
//! may use this server, and a secret may be in rotation.

use secrecy::{ExposeSecret, SecretString};
use subtle::{Choice, ConstantTimeEq};

pub const HEADER: &str = "X-Hub-Signature-256";

const PREFIX: &str = "sha256=";

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Answered with 401.
    #[error("the signature is missing")]
    Missing,
    /// Malformed, or made with another secret or for another body. Answered with 403.
    #[error("the signature is wrong")]
    Wrong,
}

/// Reads a signature header, without a body to check it against.
pub fn parse(header: Option<&str>) -> Result<[u8; 32], SignatureError> {
    let header = header.ok_or(SignatureError::Missing)?;
    header.strip_prefix(PREFIX).and_then(decode_hex).ok_or(SignatureError::Wrong)
}

/// Checks that `header` signs `body` with one of the secrets, in constant time. An empty secret
/// never matches: anybody could sign with it.
pub fn verify(secrets: &[SecretString], header: Option<&str>, body: &[u8]) -> Result<(), SignatureError> {
    let given = parse(header)?;
    let mut fits = Choice::from(0);
    for secret in secrets.iter().filter(|secret| !secret.expose_secret().is_empty()) {
        fits |= digest(secret, body).ct_eq(&given);
    }
    if bool::from(fits) { Ok(()) } else { Err(SignatureError::Wrong) }
}

pub fn sign(secret: &SecretString, body: &[u8]) -> String {
    let mut text = String::from(PREFIX);
    for byte in digest(secret, body) {
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

fn digest(secret: &SecretString, body: &[u8]) -> [u8; 32] {
    super::token::mac(secret.expose_secret().as_bytes(), body)
}

/// 64 hex digits of either case, nothing else.
fn decode_hex(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let high = char::from(pair[0]).to_digit(16)?;
        let low = char::from(pair[1]).to_digit(16)?;
        *byte = u8::try_from(high << 4 | low).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> SecretString {
        SecretString::from(text)
    }

    #[test]
    fn a_signature_fits_its_body_and_any_of_our_secrets() {
        let header = sign(&secret("new"), b"body");
        for (secrets, body, expected) in [
            (vec!["new"], "body", Ok(())),
            (vec!["old", "new"], "body", Ok(())),
            (vec!["new", "old"], "body", Ok(())),
            (vec!["old"], "body", Err(SignatureError::Wrong)),
            (vec![], "body", Err(SignatureError::Wrong)),
            (vec!["new"], "bodY", Err(SignatureError::Wrong)),
        ] {
            let secrets: Vec<_> = secrets.into_iter().map(secret).collect();
            assert_eq!(verify(&secrets, Some(&header), body.as_bytes()), expected);
        }
        assert_eq!(verify(&[secret("new")], None, b"body"), Err(SignatureError::Missing));
        assert_eq!(verify(&[secret("new")], Some(""), b"body"), Err(SignatureError::Wrong));
    }

    #[test]
    fn an_empty_secret_signs_nothing() {
        let header = sign(&secret(""), b"body");
        assert_eq!(verify(&[secret("")], Some(&header), b"body"), Err(SignatureError::Wrong));
    }
}
