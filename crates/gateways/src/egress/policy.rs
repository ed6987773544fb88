//! The operator's policy for outbound requests.

use super::address;
use ipnet::IpNet;
use std::{net::IpAddr, time::Duration};

/// Allowed ports of public servers.
const PORTS: [u16; 4] = [80, 443, 8080, 8443];

#[derive(Debug, Clone, Default)]
pub struct EgressPolicy {
    /// Private networks that may be reached (`CHASQUI_EGRESS_ALLOW`), over http and on any port.
    pub allow: Vec<IpNet>,
    /// Allows public servers without TLS.
    pub allow_http: bool,
    /// In addition to 80, 443, 8080 and 8443.
    pub extra_ports: Vec<u16>,
    /// Hosts that are always refused: the public names of this server.
    pub deny_hosts: Vec<String>,
    pub limits: Limits,
}

/// Time and size limits of one request.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// For DNS, TCP and TLS, at each hop.
    pub connect: Duration,
    /// For the whole request, redirects included.
    pub total: Duration,
    /// Bytes of the decompressed response that are read.
    pub body: usize,
    pub redirects: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), total: Duration::from_secs(30), body: 1 << 20, redirects: 3 }
    }
}

impl EgressPolicy {
    /// True if the operator allows this address, even if it is private.
    pub(super) fn trusts(&self, address: IpAddr) -> bool {
        let address = address::canonical(address);
        self.allow.iter().any(|network| network.contains(&address))
    }

    pub(super) fn permits_port(&self, port: u16) -> bool {
        PORTS.contains(&port) || self.extra_ports.contains(&port)
    }

    pub(super) fn denies_host(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.');
        self.deny_hosts.iter().any(|denied| denied.trim_end_matches('.').eq_ignore_ascii_case(host))
    }
}
