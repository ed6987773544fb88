//! Address ranges outside of the public internet.
//!
//! For IPv4 this is a list of refused networks. For IPv6 only global unicast space is allowed,
//! minus tunnels and translations that carry an IPv4 address, documentation and IETF protocols.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Network, prefix length, name.
const REFUSED_V4: &[([u8; 4], u32, &str)] = &[
    ([0, 0, 0, 0], 8, "unspecified"),
    ([10, 0, 0, 0], 8, "private"),
    ([100, 64, 0, 0], 10, "carrier-grade NAT"),
    ([127, 0, 0, 0], 8, "loopback"),
    ([169, 254, 0, 0], 16, "link-local"),
    ([172, 16, 0, 0], 12, "private"),
    ([192, 0, 0, 0], 24, "IETF protocols"),
    ([192, 0, 2, 0], 24, "documentation"),
    ([192, 88, 99, 0], 24, "6to4 relay"),
    ([192, 168, 0, 0], 16, "private"),
    ([198, 18, 0, 0], 15, "benchmarking"),
    ([198, 51, 100, 0], 24, "documentation"),
    ([203, 0, 113, 0], 24, "documentation"),
    ([224, 0, 0, 0], 4, "multicast"),
    ([240, 0, 0, 0], 4, "reserved"),
    // Azure's metadata service: it hands out credentials although the address looks public.
    ([168, 63, 129, 16], 32, "metadata"),
];

/// Refused parts of 2000::/3: network (first four groups), prefix length, name.
const REFUSED_V6: &[([u16; 4], u32, &str)] = &[
    // Teredo 2001::/32, benchmarking 2001:2::/48, ORCHID 2001:10::/28 and 2001:20::/28 are inside.
    ([0x2001, 0, 0, 0], 23, "IETF protocols"),
    ([0x2001, 0xdb8, 0, 0], 32, "documentation"),
    ([0x2002, 0, 0, 0], 16, "6to4"),
    ([0x3ffe, 0, 0, 0], 16, "6bone"),
    ([0x3fff, 0, 0, 0], 20, "documentation"),
];

/// The kind of a non-public address, which only the operator can allow; `None` for a public one.
pub fn refusal_of(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => refusal_of_v4(address),
        IpAddr::V6(address) => refusal_of_v6(address),
    }
}

/// The kernel treats an IPv4-mapped address as the IPv4 address.
pub(super) fn canonical(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

fn refusal_of_v4(address: Ipv4Addr) -> Option<&'static str> {
    REFUSED_V4
        .iter()
        .find(|(network, length, _)| {
            let mask = u32::MAX << (32 - length);
            address.to_bits() & mask == u32::from_be_bytes(*network)
        })
        .map(|(_, _, name)| *name)
}

fn refusal_of_v6(address: Ipv6Addr) -> Option<&'static str> {
    let groups = address.segments();
    if groups[0] & 0xe000 != 0x2000 {
        return Some(outside_global_unicast(address));
    }
    // ISATAP: the last 64 bits carry an IPv4 address, public or not.
    if matches!(groups[4], 0 | 0x200) && groups[5] == 0x5efe {
        return Some("ISATAP");
    }
    let top = address.to_bits() >> 64;
    REFUSED_V6
        .iter()
        .find(|(network, length, _)| {
            let network = network.iter().fold(0u128, |bits, group| bits << 16 | u128::from(*group));
            top >> (64 - length) == network >> (64 - length)
        })
        .map(|(_, _, name)| *name)
}

/// Names a range for the log. Everything outside 2000::/3 is refused.
fn outside_global_unicast(address: Ipv6Addr) -> &'static str {
    let groups = address.segments();
    match groups[0] {
        0 if address.is_loopback() => "loopback",
        0 if address.is_unspecified() => "unspecified",
        0 => "IPv4 inside IPv6",
        0x64 => "NAT64",
        0x100 => "discard",
        group if group & 0xfe00 == 0xfc00 => "unique-local",
        group if group & 0xff80 == 0xfe80 => "link-local",
        group if group & 0xff00 == 0xff00 => "multicast",
        _ => "reserved",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_edges_are_refused_and_neighbours_allowed() {
        for (refused, first, last, before, after) in [
            ("private", "10.0.0.0", "10.255.255.255", "9.255.255.255", "11.0.0.0"),
            ("carrier-grade NAT", "100.64.0.0", "100.127.255.255", "100.63.255.255", "100.128.0.0"),
            ("loopback", "127.0.0.0", "127.255.255.255", "126.255.255.255", "128.0.0.0"),
            ("link-local", "169.254.0.0", "169.254.255.255", "169.253.255.255", "169.255.0.0"),
            ("private", "172.16.0.0", "172.31.255.255", "172.15.255.255", "172.32.0.0"),
            ("IETF protocols", "192.0.0.0", "192.0.0.255", "191.255.255.255", "192.0.1.0"),
            ("private", "192.168.0.0", "192.168.255.255", "192.167.255.255", "192.169.0.0"),
            ("benchmarking", "198.18.0.0", "198.19.255.255", "198.17.255.255", "198.20.0.0"),
            ("metadata", "168.63.129.16", "168.63.129.16", "168.63.129.15", "168.63.129.17"),
            ("IETF protocols", "2001::", "2001:1ff:ffff::1", "2000:ffff::1", "2001:200::1"),
            ("documentation", "2001:db8::", "2001:db8:ffff::1", "2001:db7::1", "2001:db9::1"),
            ("6to4", "2002::", "2002:ffff::1", "2001:ffff::1", "2003::1"),
            ("documentation", "3fff::", "3fff:fff::1", "3ff0::1", "3fff:1000::1"),
        ] {
            for address in [first, last] {
                assert_eq!(refusal_of(address.parse().unwrap()), Some(refused), "{address}");
            }
            for address in [before, after] {
                assert_eq!(refusal_of(address.parse().unwrap()), None, "{address}");
            }
        }
    }

    #[test]
    fn only_global_unicast_ipv6_is_public() {
        for (address, why) in [
            ("::", "unspecified"),
            ("::1", "loopback"),
            ("::127.0.0.1", "IPv4 inside IPv6"),
            ("::ffff:8.8.8.8", "IPv4 inside IPv6"),
            ("64:ff9b::8.8.8.8", "NAT64"),
            ("64:ff9b:1::1", "NAT64"),
            ("100::1", "discard"),
            ("fc00::1", "unique-local"),
            ("fd00:ec2::254", "unique-local"),
            ("fe80::1", "link-local"),
            ("fec0::1", "link-local"),
            ("ff02::1", "multicast"),
            ("5f00::1", "reserved"),
            ("4000::1", "reserved"),
            ("2606:4700::5efe:10.0.0.1", "ISATAP"),
        ] {
            assert_eq!(refusal_of(address.parse().unwrap()), Some(why), "{address}");
        }
        for public in ["2606:4700:4700::1111", "2a00:1450:4001::8a", "3fff:1000::1"] {
            assert_eq!(refusal_of(public.parse().unwrap()), None, "{public}");
        }
    }
}
