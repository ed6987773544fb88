//! Start settings of the emulator.

use std::net::{Ipv4Addr, SocketAddr};

use crate::{ClockMode, World, world};

/// Start settings. The default listens on a free loopback port, with the real clock, the default
/// world and no callback.
#[derive(Debug, Clone)]
pub struct Config {
    /// Listen address; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Source of all ids and random decisions.
    pub seed: u64,
    /// Receiver of the webhooks. It need not answer yet when the emulator starts.
    pub callback_url: Option<String>,
    /// Token of the handshake when a callback is set later through the control API.
    pub verify_token: String,

    pub clock: ClockMode,
    /// Allows callbacks that are not loopback addresses.
    pub allow_remote_callback: bool,
    /// Accounts and contacts at the start and after a reset.
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
