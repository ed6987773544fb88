//! Sandbox sessions: after sending a code, a phone may talk to an agent through one shared number.

use crate::{time::Span, words};

/// Upper-case letters and digits without look-alikes.
pub const CODE_ALPHABET: &[u8] = b"ABCDEFGHJKMNPQRSTUVWXYZ23456789";
pub const CODE_LENGTH: usize = 6;
/// Lifetime of a session: pending until the code arrives, then active.
pub const LIFETIME: Span = Span::from_hours(24);

/// A code from random bytes, or `None` if too few of them are usable: bytes that would favour some
/// letters are skipped.
pub fn code_from(random: &[u8]) -> Option<String> {
    let usable = 256 - 256 % CODE_ALPHABET.len();
    let mut letters = random.iter().filter(|byte| usize::from(**byte) < usable);
    (0..CODE_LENGTH)
        .map(|_| letters.next().map(|byte| char::from(CODE_ALPHABET[usize::from(*byte) % CODE_ALPHABET.len()])))
        .collect()
}

/// The code that a text is, in upper case. A code inside a sentence does not count: the link sends
/// the code alone, and a sentence may quote the code of another session.
pub fn code_in(text: &str) -> Option<String> {
    let code = text.trim().to_ascii_uppercase();
    let is_code = code.len() == CODE_LENGTH && code.bytes().all(|byte| CODE_ALPHABET.contains(&byte));
    is_code.then_some(code)
}

words! {
    pub enum SessionStatus {
        /// Waits for its code.
        PendingActivation = "pending_activation",
        /// The phone talks to the agent.
        Active = "active",
        Expired = "expired",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_a_whole_text_in_either_case() {
        assert_eq!(code_in(" k7q2zd\n").as_deref(), Some("K7Q2ZD"));
        for text in ["my code is K7Q2ZD", "K7Q2ZD.", "O0I1L1", "K7Q2Z", "K7Q2ZDA", ""] {
            assert_eq!(code_in(text), None, "{text}");
        }
    }

    #[test]
    fn a_code_uses_each_letter_equally_often() {
        let every_byte: Vec<u8> = (0..=255).collect();
        let usable = every_byte.iter().filter(|b| usize::from(**b) < 256 - 256 % CODE_ALPHABET.len()).count();
        assert_eq!(usable % CODE_ALPHABET.len(), 0);
        assert_eq!(code_from(&every_byte).unwrap(), "ABCDEF");
        assert_eq!(code_from(&[255; 32]), None);
    }
}
