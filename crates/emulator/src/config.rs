//! What a caller decides before the emulator starts.

use std::net::{Ipv4Addr, SocketAddr};

use crate::{ClockMode, World, world};

/// How to start the emulator. `Config::default()` listens on a free loopback port, on the real
/// clock, with the default world and nobody to send webhooks to.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Everything that looks random comes from this number.
    pub seed: u64,
    /// Where webhooks go. It need not answer yet when the emulator starts.
    pub callback_url: Option<String>,
    /// Sent in the handshake when a callback is set later through the control API.
    pub verify_token: String,
    /// What moves the clock.
    pub clock: ClockMode,
    /// Webhooks go to loopback addresses only, unless this is set.
    pub allow_remote_callback: bool,
    /// Who exists at the start and after a reset.
    pub world: World,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            seed: 1,
            callback_url: None,
            verify_token: world::VERIFY_TOKEN.to_owned(),
            clock: ClockMode::Real,
            allow_remote_callback: false,
            world: World::default(),
        }
    }
}
