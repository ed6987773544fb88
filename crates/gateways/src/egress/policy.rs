//! What the operator permits.

use super::address;
use ipnet::IpNet;
use std::{net::IpAddr, time::Duration};

/// Ports that a public server may be reached on.
const PORTS: [u16; 4] = [80, 443, 8080, 8443];

/// Which URLs may be reached, and how long and how much.
#[derive(Debug, Clone, Default)]
pub struct EgressPolicy {
    /// Networks that may be reached although private (`CHASQUI_EGRESS_ALLOW`), over http and on any port.
    pub allow: Vec<IpNet>,
    /// Whether public servers may be reached without TLS.
    pub allow_http: bool,
    /// Ports of public servers besides 80, 443, 8080 and 8443.
    pub extra_ports: Vec<u16>,
    /// Hosts that are refused whatever they resolve to: our own public names.
    pub deny_hosts: Vec<String>,
    /// Times and sizes.
    pub limits: Limits,
}

/// Times and sizes of one request.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// For the name, TCP and TLS, at each hop.
    pub connect: Duration,
    /// For everything, redirects included.
    pub total: Duration,
    /// Bytes of the decompressed answer that are read.
    pub body: usize,
    /// Redirects that are followed.
    pub redirects: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), total: Duration::from_secs(30), body: 1 << 20, redirects: 3 }
    }
}

impl EgressPolicy {
    /// Whether the operator permits this address although it may be private.
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
