//! API keys: `chq_<12 lookup>_<43 base62>`, stored as a SHA-256.
//! The lookup part finds the row and the hash of the whole key proves it. The secret part has 256
//! bits, so a slow hash would add nothing. Tokens of command-line users have the same form with the
//! prefix `chu`.

use sha2::{Digest, Sha256};

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const LOOKUP_LENGTH: usize = 12;
const SECRET_LENGTH: usize = 43;

/// A new key, shown to its owner once.
pub struct NewApiKey {
    pub text: String,
    /// The part that finds the row.
    pub lookup: String,
    /// SHA-256 of the whole key.
    pub hash: [u8; 32],
}

/// Makes a key from random bytes, or `None` if too few of them are usable (256 bytes always suffice
/// in practice).
pub fn from_random(random: &[u8]) -> Option<NewApiKey> {
    made("chq", random)
}

/// Makes a user's token in the same way.
pub fn token_from_random(random: &[u8]) -> Option<NewApiKey> {
    made("chu", random)
}

fn made(prefix: &str, random: &[u8]) -> Option<NewApiKey> {
    // 248 = 4 × 62: larger bytes would favour some characters.
    let mut characters =
        random.iter().filter(|byte| **byte < 248).map(|byte| char::from(BASE62[usize::from(*byte % 62)]));
    let lookup: String = characters.by_ref().take(LOOKUP_LENGTH).collect();
    let secret: String = characters.take(SECRET_LENGTH).collect();
    if secret.len() < SECRET_LENGTH {
        return None;
    }
    let text = format!("{prefix}_{lookup}_{secret}");
    let hash = hash(&text);
    Some(NewApiKey { text, lookup, hash })
}

/// The lookup part of a well-formed key.
pub fn lookup(key: &str) -> Option<&str> {
    found("chq_", key)
}

/// The lookup part of a well-formed user token.
pub fn token_lookup(token: &str) -> Option<&str> {
    found("chu_", token)
}

fn found<'k>(prefix: &str, key: &'k str) -> Option<&'k str> {
    let (lookup, secret) = key.strip_prefix(prefix)?.split_once('_')?;
    let fits = |part: &str, length| part.len() == length && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (fits(lookup, LOOKUP_LENGTH) && fits(secret, SECRET_LENGTH)).then_some(lookup)
}

/// The stored hash of a key.
pub fn hash(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_key_has_the_documented_shape_and_gives_its_lookup_back() {
        let random: Vec<u8> = (0..=255).collect();
        let key = from_random(&random).unwrap();
        assert_eq!(key.text.len(), 4 + 12 + 1 + 43);
        assert_eq!(lookup(&key.text), Some(key.lookup.as_str()));
        assert_eq!(hash(&key.text), key.hash);
        for odd in ["", "chq_", &key.text[..59], &format!("{}x", key.text), &key.text.replace("chq", "xyz")] {
            assert_eq!(lookup(odd), None, "{odd}");
        }
        assert!(from_random(&[250; 300]).is_none());
        let token = token_from_random(&random).unwrap();
        assert_eq!((token_lookup(&token.text), lookup(&token.text)), (Some(token.lookup.as_str()), None));
        assert_eq!(token_lookup(&key.text), None);
    }
}
