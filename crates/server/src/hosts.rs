//! `Host` headers: which are accepted, and which appear in links.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Names that a request may have as its `Host`, besides addresses and `localhost`. Without any, each
/// name is accepted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hosts(Vec<String>);

impl Hosts {
    /// Parses names separated by commas.
    pub fn of(names: &str) -> Self {
        Self(names.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_lowercase).collect())
    }

    pub(crate) fn allow(&self, host: &str) -> bool {
        let name = name_of(host);
        self.0.is_empty() || is_local(host) || self.0.iter().any(|own| own.eq_ignore_ascii_case(name))
    }
}

/// The host without its port.
fn name_of(host: &str) -> &str {
    let is_port = |port: &str| port.parse::<u16>().is_ok() && !port.starts_with('+');
    host.rsplit_once(':').filter(|(_, port)| is_port(port)).map_or(host, |(name, _)| name)
}

/// True for `localhost` or an address, with or without a port.
pub(crate) fn is_local(host: &str) -> bool {
    let name = name_of(host);
    match name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => name.eq_ignore_ascii_case("localhost") || name.parse::<Ipv4Addr>().is_ok(),
    }
}

/// True for `localhost` or an address of this machine, with or without a port.
pub(crate) fn is_loopback(host: &str) -> bool {
    let Ok(url) = url::Url::parse(&format!("http://{host}")) else { return false };
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_take_only_addresses_and_localhost_from_the_host_header() {
        for host in ["127.0.0.1:4000", "192.0.2.1", "[::1]:4000", "[2001:db8::1]", "localhost", "LOCALHOST:80"] {
            assert!(is_local(host), "{host}");
        }
        for host in [
            "",
            ":80",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "127.0.0.1@evil.example",
            "localhost/evil",
            "localhost:80/evil",
            "localhost:80:90",
            "localhost:+80",
            "[::1",
            "::1",
            "[evil]:80",
            "localhost:99999",
            "127.0.0.1:4000?x",
            "user:1@evil.example",
        ] {
            assert!(!is_local(host), "{host}");
        }
    }

    #[test]
    fn only_listed_names_addresses_and_localhost_are_accepted() {
        let hosts = Hosts::of("localhost, Box.lan");
        for host in ["box.lan", "BOX.LAN:4000", "localhost:4000", "127.0.0.1:4000", "[::1]:4000"] {
            assert!(hosts.allow(host), "{host}");
        }
        for host in ["", "evil.example", "box.lan.evil.example", "box.lan:4000:1", "127.0.0.1.evil.example:4000"] {
            assert!(!hosts.allow(host), "{host}");
        }
        assert!(Hosts::default().allow("evil.example"));
    }
}
