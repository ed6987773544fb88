//! Both signatures of an outgoing webhook.
//!
//! The contract's is the hex HMAC-SHA256 of the raw body. The other is that of Standard Webhooks
//! (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>):
//! its HMAC also covers the id and the time, and several keys may sign during a rotation.

use crate::whatsapp::token::mac;
use base64::{Engine as _, engine::general_purpose::STANDARD};

/// `X-Webhook-Signature`: 64 lower-case hex digits.
pub fn hex_signature(key: &str, body: &[u8]) -> String {
    mac(key.as_bytes(), body).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `webhook-signature`: one `v1,<base64>` for each key. The bytes of a key are those of its text.
pub fn standard_signature<'k>(keys: impl Iterator<Item = &'k str>, id: &str, seconds: i64, body: &[u8]) -> String {
    let mut signed = format!("{id}.{seconds}.").into_bytes();
    signed.extend_from_slice(body);
    let each = keys.map(|key| format!("v1,{}", STANDARD.encode(mac(key.as_bytes(), &signed))));
    each.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the reference implementations of Standard Webhooks.
    #[test]
    fn signature_is_that_of_the_reference_implementation() {
        let key = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        // Its key is no text, so the code under test gets the same bytes through `mac`.
        let signed = b"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{\"test\": 2432232314}";
        let expected = "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(STANDARD.encode(mac(&key, signed)), expected);
    }

    #[test]
    fn each_key_of_a_rotation_signs() {
        let both = standard_signature(["new", "old"].into_iter(), "id", 7, b"{}");
        let new = standard_signature(["new"].into_iter(), "id", 7, b"{}");
        let old = standard_signature(["old"].into_iter(), "id", 7, b"{}");
        assert_eq!(both, format!("{new} {old}"));
        assert_ne!(new, old);
    }

    #[test]
    fn hex_signature_covers_the_body() {
        // RFC 4231, test case 2.
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(hex_signature("Jefe", b"what do ya want for nothing?"), expected);
    }
}
