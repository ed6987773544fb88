//! Passwords: argon2id with 19 MiB and two passes (OWASP's second recommended setting), computed on
//! the blocking pool, two at a time.

use crate::ApiError;
use argon2::{
    Argon2,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash},
};
use runtime::cpu;
use std::sync::LazyLock;
use tokio::sync::Semaphore;

/// Requests that compute or wait. Beyond it, sign-in is refused for a moment.
static WAITING: Semaphore = Semaphore::const_new(64);

/// Checked in place of an absent password, so that the answer takes as long.
static ABSENT: LazyLock<String> = LazyLock::new(|| computed("", &[0; 16]).unwrap_or_default());

/// Hash of a password, computed where it is called; for tests.
pub fn hash_now(password: &str) -> String {
    computed(password, &[1; 16]).unwrap_or_default()
}

/// Hash of a new password, as a PHC string.
pub(crate) async fn hash(password: String, salt: [u8; 16]) -> Result<String, ApiError> {
    let _place = WAITING.try_acquire().map_err(|_| ApiError::RateLimited)?;
    let done = cpu::PASSWORDS.run(move || computed(&password, &salt)).await.flatten();
    done.ok_or_else(|| ApiError::Internal("a password was not hashed".into()))
}

/// True if the password fits the stored hash. False, as slowly, if there is none.
pub(crate) async fn is_right(password: String, stored: Option<String>) -> Result<bool, ApiError> {
    let _place = WAITING.try_acquire().map_err(|_| ApiError::RateLimited)?;
    let done = cpu::PASSWORDS.run(move || fits(&password, stored.as_ref().unwrap_or(&ABSENT)) && stored.is_some());
    done.await.ok_or_else(|| ApiError::Internal("a password was not checked".into()))
}

fn computed(password: &str, salt: &[u8; 16]) -> Option<String> {
    // The default is argon2id, 19 MiB, two passes, one lane; the stored string holds it.
    let hash: PasswordHash = Argon2::default().hash_password_with_salt(password.as_bytes(), salt).ok()?;
    Some(hash.to_string())
}

fn fits(password: &str, stored: &str) -> bool {
    let Ok(stored) = PasswordHash::new(stored) else { return false };
    Argon2::default().verify_password(password.as_bytes(), &stored).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_passwords_name_argon2id_and_19_mib() {
        let stored = computed("correct horse", &[7; 16]).unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(fits("correct horse", &stored) && !fits("correct hors", &stored) && !fits("correct horse", "x"));
        assert_ne!(stored, computed("correct horse", &[8; 16]).unwrap());
    }
}
