//! The tracking token of a send: `o1.<project id>.<outbox id>.<attempt>.<mac8>`.
//!
//! Meta echoes it in every status of the message. A status therefore finds its outbox entry by key,
//! even if the response to the send was lost. `mac8` is eight bytes: 16 hex digits of HMAC-SHA256
//! over everything before the last dot. A forger must guess 64 bits on a webhook that is signed as
//! well.

use domain::ids::{OutboxId, ProjectId};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

const VERSION: &str = "o1";

/// The content of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tracking {
    pub project: ProjectId,
    pub outbox: OutboxId,
    /// Counts from 1.
    pub attempt: u32,
}

/// Builds the token of one attempt: at most 104 characters; Meta allows 512.
pub fn issue(key: &[u8], project: ProjectId, outbox: OutboxId, attempt: u32) -> String {
    let text = format!("{VERSION}.{project}.{outbox}.{attempt}");
    let mac = mac8(key, &text);
    format!("{text}.{mac}")
}

/// Reads and verifies a token; `None` for any other text.
pub fn read(key: &[u8], token: &str) -> Option<Tracking> {
    let (text, mac) = token.rsplit_once('.')?;
    if !bool::from(mac8(key, text).as_bytes().ct_eq(mac.as_bytes())) {
        return None;
    }
    let mut parts = text.split('.');
    if parts.next()? != VERSION {
        return None;
    }
    let tracking = Tracking {
        project: parts.next()?.parse().ok()?,
        outbox: parts.next()?.parse().ok()?,
        attempt: parts.next()?.parse().ok()?,
    };
    parts.next().is_none().then_some(tracking)
}

fn mac8(key: &[u8], text: &str) -> String {
    mac(key, text.as_bytes())[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// HMAC-SHA256, for tracking tokens, webhook signatures and links to media.
pub fn mac(key: &[u8], message: &[u8]) -> [u8; 32] {
    // Any length is a valid key: longer ones are hashed, shorter ones padded (RFC 2104).
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { unreachable!("HMAC takes keys of any length") };
    mac.update(message);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = b"a key";

    fn token() -> (Tracking, String) {
        let tracking = Tracking {
            project: "0197a1b2-0000-7000-8000-000000000001".parse().unwrap(),
            outbox: "0197a1b2-0000-7000-8000-000000000002".parse().unwrap(),
            attempt: 3,
        };
        (tracking, issue(KEY, tracking.project, tracking.outbox, tracking.attempt))
    }

    #[test]
    fn issued_token_can_be_read() {
        let (tracking, token) = token();
        assert_eq!(read(KEY, &token), Some(tracking));
        assert!(token.starts_with("o1.0197a1b2-0000-7000-8000-000000000001.0197a1b2-0000-7000-8000-000000000002.3."));
        let longest = issue(KEY, tracking.project, tracking.outbox, u32::MAX);
        assert_eq!(longest.len(), 104);
    }

    #[test]
    fn changed_token_or_other_key_is_rejected() {
        let (_, token) = token();
        assert_eq!(read(b"another key", &token), None);
        for at in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
            assert_eq!(read(KEY, &String::from_utf8(bytes).unwrap()), None, "byte {at}");
        }
        for odd in ["", ".", "o1", "o1....", &token[..token.len() - 1], &format!("{token}0")] {
            assert_eq!(read(KEY, odd), None, "{odd}");
        }
    }

    #[test]
    fn signed_text_of_another_shape_is_rejected() {
        for text in ["o2.a.b.1", "o1.x.y.1", "o1"] {
            assert_eq!(read(KEY, &format!("{text}.{}", mac8(KEY, text))), None, "{text}");
        }
    }
}
