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

/// Words of a text that could be a code, in upper case: people paste codes inside sentences.
pub fn codes_in(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| word.len() == CODE_LENGTH)
        .map(str::to_ascii_uppercase)
        .filter(|word| word.bytes().all(|byte| CODE_ALPHABET.contains(&byte)))
        .take(8)
        .collect()
}

/// True if the whole text has the form of a code: then the sender meant one.
pub fn is_code_like(text: &str) -> bool {
    matches!(codes_in(text).as_slice(), [code] if code.eq_ignore_ascii_case(text.trim()))
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
    fn a_code_is_found_inside_a_sentence_in_either_case() {
        assert_eq!(codes_in("Sandbox code: k7q2zd, please"), ["K7Q2ZD"]);
        assert!(codes_in("O0I1L1 is full of look-alikes").is_empty());
        assert!(is_code_like(" K7Q2ZD\n") && !is_code_like("my code is K7Q2ZD"));
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
