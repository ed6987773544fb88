//! Addresses that other machines can reach: `dev` and `emulator` take them only with `--expose`.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, bail};
use emulator::{Credentials, Exposure};

use crate::args::ExposureFlags;

/// Shorter tokens could be guessed.
const SHORTEST_TOKEN: usize = 16;

/// Secrets of the emulator and its rules for requests from other machines.
#[derive(Debug)]
pub struct Exposed {
    pub credentials: Credentials,
    pub exposure: Exposure,
}

impl Exposed {
    /// On loopback addresses only.
    pub fn nowhere() -> Self {
        Self { credentials: Credentials::well_known(), exposure: Exposure::default() }
    }

    /// Refuses addresses that other machines can reach unless `--expose` is given. With it, or with
    /// a token, the secrets are no longer the public ones.
    pub fn of(flags: &ExposureFlags, addresses: &[SocketAddr]) -> Result<Self> {
        if flags.expose.is_none()
            && let Some(open) = addresses.iter().find(|address| !address.ip().to_canonical().is_loopback())
        {
            bail!("other machines could reach {open}; use a loopback address such as 127.0.0.1, or add --expose");
        }
        let token = match (&flags.emulator_token, &flags.expose) {
            (Some(token), _) if token.len() < SHORTEST_TOKEN || !token.bytes().all(|byte| byte.is_ascii_graphic()) => {
                bail!(
                    "the emulator's token needs {SHORTEST_TOKEN} visible ASCII characters or more; make one with: openssl rand -hex 16"
                )
            }
            (Some(token), _) => token.clone(),
            (None, Some(_)) => random_token()?,
            (None, None) => return Ok(Self::nowhere()),
        };
        let names = flags.expose.as_deref().unwrap_or_default().split(',').map(str::trim);
        let hosts = names.filter(|name| !name.is_empty()).map(str::to_owned).collect();
        let credentials = Credentials::of(&token);
        Ok(Self { credentials, exposure: Exposure { token: Some(token), hosts } })
    }
}

fn random_token() -> Result<String> {
    server::operator::random_token().context("the random source is broken")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(expose: Option<&str>, token: Option<&str>, address: &str) -> Result<Exposed> {
        let flags = ExposureFlags { expose: expose.map(str::to_owned), emulator_token: token.map(str::to_owned) };
        Exposed::of(&flags, &["127.0.0.1:1".parse().unwrap(), address.parse().unwrap()])
    }

    #[test]
    fn addresses_beyond_loopback_need_the_flag() {
        for open in ["0.0.0.0:4100", "[::]:4100", "192.0.2.1:4100", "[::ffff:192.0.2.1]:0"] {
            assert!(of(None, None, open).unwrap_err().to_string().contains("--expose"), "{open}");
            assert!(of(None, Some("0123456789abcdef"), open).is_err(), "{open}: a token alone is no consent");
            assert!(of(Some(""), None, open).is_ok(), "{open}");
        }
        for closed in ["127.0.0.1:4100", "[::1]:4100", "127.9.9.9:1", "[::ffff:127.0.0.1]:1"] {
            assert_eq!(of(None, None, closed).unwrap().credentials, Credentials::well_known(), "{closed}");
        }
    }

    #[test]
    fn exposed_emulators_have_secrets_of_their_own() {
        let [one, other] = [(); 2].map(|()| of(Some("box, box.lan"), None, "0.0.0.0:1").unwrap());
        assert_eq!(one.exposure.hosts, ["box", "box.lan"]);
        assert_eq!(one.exposure.token.as_ref(), Some(&one.credentials.token));
        assert!(one.credentials.token.len() >= 32 && one.credentials.token != other.credentials.token);
        let public = Credentials::well_known();
        assert!(one.credentials.app_secret != public.app_secret && one.credentials.verify_token != public.verify_token);
        let given = of(Some(""), Some("0123456789abcdef"), "0.0.0.0:1").unwrap();
        assert_eq!(given.credentials, Credentials::of("0123456789abcdef"));
        for bad in ["short", "0123456789abcde ", "0123456789abcdé_"] {
            assert!(of(Some(""), Some(bad), "0.0.0.0:1").is_err(), "{bad}");
        }
    }
}
