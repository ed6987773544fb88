//! Sign-in from a command line: a code that a person passes to the operator.
//! The token is given to any client that has the code once it is approved, so the code is as long
//! as a key: three groups of a sandbox code's letters, 89 bits.

use crate::{sandbox, time::Span};
use sha2::{Digest as _, Sha256};

/// A code waits this long for its approval, and then for its client.
pub const CODE_LIFETIME: Span = Span::from_mins(10);
/// Validity of a token.
pub const TOKEN_LIFETIME: Span = Span::from_hours(90 * 24);
/// Pending codes of an address, or of a /64 network of IPv6. Not in all: one address would keep
/// all others from signing in.
pub const MOST_WAITING: i64 = 20;
/// Characters kept of a client's name and of its user agent.
pub const LONGEST_DESCRIPTION: usize = 200;

/// A code from random bytes, or `None` if too few of them are usable (192 bytes always suffice in
/// practice).
pub fn code_from(random: &[u8]) -> Option<String> {
    let groups: Option<Vec<String>> =
        random.chunks_exact((random.len() / 3).max(1)).take(3).map(sandbox::code_from).collect();
    groups.filter(|groups| groups.len() == 3).map(|groups| groups.join("-"))
}

/// True for a text with the form of a code.
pub fn is_code(text: &str) -> bool {
    normalised(text).bytes().all(|byte| sandbox::CODE_ALPHABET.contains(&byte))
        && normalised(text).len() == 3 * sandbox::CODE_LENGTH
}

/// The stored hash of a code, independent of how it was typed.
pub fn hash(code: &str) -> [u8; 32] {
    Sha256::digest(normalised(code)).into()
}

/// Text of a client about itself, fit to be shown in a terminal: one line without control
/// characters, shortened.
pub fn description(text: &str) -> String {
    let visible = |c: char| if c.is_control() || c.is_whitespace() || is_direction(c) { ' ' } else { c };
    let text: String = text.chars().map(visible).take(LONGEST_DESCRIPTION).collect();
    text.trim().to_owned()
}

/// Characters that reorder or hide text: a client could imitate another line.
const fn is_direction(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

fn normalised(code: &str) -> String {
    code.chars().filter(|c| *c != '-' && !c.is_whitespace()).map(|c| c.to_ascii_uppercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_found_however_it_is_typed() {
        let random: Vec<u8> = (0..=191).collect();
        let code = code_from(&random).unwrap();
        assert_eq!((code.len(), code.matches('-').count()), (20, 2));
        assert!(is_code(&code));
        assert_eq!(hash(&code), hash(&format!(" {} ", code.to_lowercase().replace('-', " "))));
        assert_ne!(hash(&code), hash("ABCDEF-ABCDEF-ABCDEF"));
        for other in ["", "ABCDEF", "ABCDEF-ABCDEF-ABCDE0", "../../../etc/passwd"] {
            assert!(!is_code(other), "{other}");
        }
        assert_eq!(code_from(&[255; 192]), None);
        assert_eq!(code_from(&[1]), None);
    }

    #[test]
    fn description_of_a_client_is_one_visible_line() {
        assert_eq!(description(" kapso-cli/0.4.0\n\u{1b}[2Japproved\0 "), "kapso-cli/0.4.0  [2Japproved");
        assert_eq!(description("a\u{202e}b"), "a b");
        assert_eq!(description(&"é".repeat(500)).chars().count(), LONGEST_DESCRIPTION);
    }
}
