//! Address of the client, also behind proxies.

use axum::http::HeaderMap;
use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};

/// Address of the client of a request, in the request's extensions. Use it instead of the peer's
/// address, which may be a proxy's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClientAddress(pub(crate) IpAddr);

impl ClientAddress {
    /// The peer, or the client that it names in `X-Forwarded-For` if it is one of our proxies. Each
    /// proxy adds the address that it saw at the end, so the list is read from there: what stands
    /// before the first foreign address was written by a stranger.
    pub(crate) fn of(peer: IpAddr, headers: &HeaderMap, proxies: &[IpNet]) -> Self {
        let is_proxy = |address: IpAddr| proxies.iter().any(|network| network.contains(&address));
        let mut client = peer.to_canonical();
        let lists = headers.get_all("x-forwarded-for").iter().rev();
        let mut hops = lists.flat_map(|list| list.to_str().unwrap_or_default().rsplit(','));
        while is_proxy(client) {
            let Some(before) = hops.next().and_then(address) else { break };
            client = before;
        }
        Self(client)
    }
}

/// An address, which some proxies write with its port.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let parsed = bare.parse().or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()));
    parsed.ok().map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn of(peer: &str, lists: &[&'static str]) -> String {
        let mut headers = HeaderMap::new();
        for list in lists {
            headers.append("x-forwarded-for", HeaderValue::from_static(list));
        }
        let proxies = ["10.0.0.0/8", "2001:db8::/32"].map(|network| network.parse().unwrap());
        ClientAddress::of(peer.parse().unwrap(), &headers, &proxies).0.to_string()
    }

    #[test]
    fn only_our_proxies_may_name_another_client() {
        assert_eq!(of("192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
        assert_eq!(of("10.0.0.1", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(of("::ffff:10.0.0.1", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(of("10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn client_is_the_last_foreign_address() {
        assert_eq!(of("10.0.0.1", &["203.0.113.9, 198.51.100.7"]), "198.51.100.7", "the first is the client's own");
        assert_eq!(of("10.0.0.1", &["203.0.113.9, 198.51.100.7, 10.0.0.2"]), "198.51.100.7");
        assert_eq!(of("10.0.0.1", &["203.0.113.9", "198.51.100.7,10.0.0.2"]), "198.51.100.7", "lists are joined");
        assert_eq!(of("10.0.0.1", &["10.0.0.3, 10.0.0.2"]), "10.0.0.3");
        assert_eq!(of("10.0.0.1", &["203.0.113.9, unknown"]), "10.0.0.1", "nothing before nonsense counts");
    }

    #[test]
    fn addresses_are_read_with_and_without_a_port() {
        for (text, address) in [
            ("198.51.100.7:4711", "198.51.100.7"),
            ("[2001:db9::1]:4711", "2001:db9::1"),
            ("[2001:db9::1]", "2001:db9::1"),
            (" ::ffff:198.51.100.7 ", "198.51.100.7"),
        ] {
            assert_eq!(of("10.0.0.1", &[text]), address, "{text}");
        }
    }
}
