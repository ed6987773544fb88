//! Secrets that anybody can know or guess: those of the emulator, and short verify tokens.
//!
//! They are accepted only while the Graph host is on this machine, as in `dev` and in tests.

use crate::Config;
use secrecy::ExposeSecret as _;
use url::{Host, Url};

/// Secrets and tokens of the emulator, printed in its documents.
pub const EMULATOR: [&str; 3] = ["emulator-app-secret", "EAAEMULATORTOKEN", "emulator-verify-token"];

const SHORTEST_VERIFY_TOKEN: usize = 16;

/// The first setting that must not be used with Meta, and why.
pub(crate) fn refusal(config: &Config) -> Option<String> {
    if is_loopback(&config.graph_base_url) {
        return None;
    }
    let secrets = config.app_secrets.iter().map(|secret| ("CHASQUI_META_APP_SECRET", secret));
    let token = config.verify_token.iter().map(|token| ("CHASQUI_META_VERIFY_TOKEN", token));
    let sandbox = config.sandbox.iter().map(|sandbox| ("CHASQUI_SANDBOX_ACCESS_TOKEN", &sandbox.access_token));
    for (variable, secret) in secrets.chain(token.clone()).chain(sandbox) {
        if EMULATOR.contains(&secret.expose_secret()) {
            return Some(format!("{variable} is the emulator's, which everybody knows; set your own"));
        }
    }
    for (variable, token) in token {
        if token.expose_secret().chars().count() < SHORTEST_VERIFY_TOKEN {
            return Some(format!(
                "{variable} is shorter than {SHORTEST_VERIFY_TOKEN} characters and could be guessed; make one with: \
                 openssl rand -hex 16"
            ));
        }
    }
    None
}

fn is_loopback(url: &str) -> bool {
    match Url::parse(url).ok().as_ref().and_then(Url::host) {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    fn refused(settings: &[(&'static str, &str)]) -> Option<String> {
        let settings: Vec<_> = settings.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
        let values = config::collect(None, &|_| None, &settings).unwrap();
        refusal(&Config::read(&values, &|_| None, rehearsal::provider()).unwrap())
    }

    #[test]
    fn secrets_of_the_emulator_are_refused_with_meta() {
        assert_eq!(EMULATOR, [emulator::APP_SECRET, emulator::ACCESS_TOKEN, emulator::VERIFY_TOKEN]);
        let number = ("sandbox.phone_number_id", "1");
        let all = [
            ("whatsapp.app_secret", "a-better-one, emulator-app-secret"),
            ("whatsapp.verify_token", emulator::VERIFY_TOKEN),
            ("sandbox.access_token", emulator::ACCESS_TOKEN),
        ];
        for setting in all {
            let why = refused(&[number, setting]).unwrap();
            assert!(why.contains("is the emulator's"), "{why}");
            for local in ["http://127.0.0.1:4100", "http://[::1]:1", "http://localhost:1"] {
                assert_eq!(refused(&[number, setting, ("whatsapp.graph_base_url", local)]), None, "{local}");
            }
        }
        assert!(refused(&[all[0], ("whatsapp.graph_base_url", "http://127.0.0.1.example.com")]).is_some());
    }

    #[test]
    fn short_verify_token_is_refused_with_meta() {
        for (token, ok) in [("fifteen-letters", false), ("sixteen-letters!", true), ("ñññññññññ", false)] {
            assert_eq!(refused(&[("whatsapp.verify_token", token)]).is_none(), ok, "{token}");
        }
        assert_eq!(refused(&[]), None);
    }
}
