//! Start settings of the emulator.

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
};

use crate::{ClockMode, World, credentials};

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
    /// Rules for requests from other machines.
    pub exposure: Exposure,
    /// Accounts and contacts at the start and after a reset.
    pub world: World,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            seed: 1,
            callback_url: None,
            verify_token: credentials::VERIFY_TOKEN.to_owned(),
            clock: ClockMode::Real,
            allow_remote_callback: false,
            exposure: Exposure::default(),
            world: World::default(),
        }
    }
}

/// Rules for requests from other machines.
#[derive(Clone, Default)]
pub struct Exposure {
    /// Bearer token of the control API; `None` on a loopback address.
    pub token: Option<String>,
    /// Names of this machine that a `Host` header may have, besides addresses and `localhost`.
    pub hosts: Vec<String>,
}

impl fmt::Debug for Exposure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exposure").field("hosts", &self.hosts).finish_non_exhaustive()
    }
}
