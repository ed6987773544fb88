//! Secrets and tokens of an emulator.

use sha2::{Digest as _, Sha256};

/// Key of the webhook signatures.
pub const APP_SECRET: &str = "emulator-app-secret";
/// Access token that the Graph API accepts at the start.
pub const ACCESS_TOKEN: &str = "EAAEMULATORTOKEN";
/// Default `hub.verify_token` of the handshake.
pub const VERIFY_TOKEN: &str = "emulator-verify-token";

/// Secrets that a server needs for this emulator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Access token of the Graph API, and bearer token of the control API if that needs one.
    pub token: String,
    /// Key of the webhook signatures.
    pub app_secret: String,
    /// Token of the webhook handshake.
    pub verify_token: String,
}

impl Credentials {
    /// The public ones, for emulators that only this machine can reach.
    pub fn well_known() -> Self {
        Self { token: ACCESS_TOKEN.into(), app_secret: APP_SECRET.into(), verify_token: VERIFY_TOKEN.into() }
    }

    /// Derived from one token, so that a server needs only that.
    pub fn of(token: &str) -> Self {
        let derived = |what: &str| {
            let digest = Sha256::digest(format!("{what}:{token}"));
            digest.iter().map(|byte| format!("{byte:02x}")).collect()
        };
        Self { token: token.to_owned(), app_secret: derived("app secret"), verify_token: derived("verify token") }
    }
}
