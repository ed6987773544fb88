//! Rate limits per minute: requests of a key, session or project, and wrong keys of an address.
//! Fixed windows, counted by each node.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use domain::{Timestamp, ids::ProjectId};
use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, PoisonError},
};
use uuid::Uuid;

/// Subject of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Subject {
    /// A key, a session, or a user of a command line.
    Principal(Uuid),
    Project(ProjectId),
    Address(IpAddr),
}

impl Subject {
    /// An address, or its /64 network for IPv6, where a host has many addresses.
    pub(crate) fn at(address: IpAddr) -> Self {
        Self::Address(network_of(address))
    }
}

/// An IPv4 address as it is; the /64 network of an IPv6 address.
pub(crate) fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        address => address,
    }
}

/// Counts requests; 0 means no limit.
#[derive(Debug)]
pub(crate) struct RateLimit {
    per_minute: u32,
    minute: Mutex<(i64, HashMap<Subject, u32>)>,
}

/// State of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    limit: u32,
    remaining: u32,
    /// Unix seconds.
    reset: i64,
    /// Seconds from now.
    wait: i64,
    /// True if the request exceeds the limit.
    pub(crate) over: bool,
}

impl RateLimit {
    pub(crate) fn new(per_minute: u32) -> Self {
        Self { per_minute, minute: Mutex::default() }
    }

    /// Counts one request; `None` without a limit.
    pub(crate) fn count(&self, who: Subject, now: Timestamp) -> Option<Window> {
        if self.per_minute == 0 {
            return None;
        }
        let this = now.secs().div_euclid(60);
        let mut minute = self.minute.lock().unwrap_or_else(PoisonError::into_inner);
        if minute.0 != this {
            *minute = (this, HashMap::new());
        }
        let count = minute.1.entry(who).or_default();
        *count = count.saturating_add(1);
        let reset = (this + 1) * 60;
        let (limit, remaining) = (self.per_minute, self.per_minute.saturating_sub(*count));
        Some(Window { limit, remaining, reset, wait: reset - now.secs(), over: *count > limit })
    }
}

impl RateLimit {
    /// Seconds to wait if the limit is reached; counts nothing.
    pub(crate) fn wait(&self, who: Subject, now: Timestamp) -> Option<i64> {
        let this = now.secs().div_euclid(60);
        let minute = self.minute.lock().unwrap_or_else(PoisonError::into_inner);
        let count = minute.1.get(&who).copied().filter(|_| minute.0 == this).unwrap_or(0);
        (self.per_minute > 0 && count >= self.per_minute).then_some((this + 1) * 60 - now.secs())
    }
}

impl Window {
    /// Sets the rate limit headers.
    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        let mut put = |name, value: i64| headers.insert(HeaderName::from_static(name), HeaderValue::from(value));
        put("x-ratelimit-limit", self.limit.into());
        put("x-ratelimit-remaining", self.remaining.into());
        put("x-ratelimit-reset", self.reset);
        if self.over {
            put("retry-after", self.wait);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Span;

    #[test]
    fn each_key_is_counted_per_minute() {
        let limit = RateLimit::new(2);
        let (one, other) = (Subject::Principal(Uuid::from_u128(1)), Subject::Principal(Uuid::from_u128(2)));
        let at = |seconds| Timestamp::from_secs(60_000) + Span::from_secs(seconds);
        let remaining: Vec<_> =
            [0, 20, 59].map(|second| limit.count(one, at(second)).map(|w| (w.remaining, w.over))).into();
        assert_eq!(remaining, [Some((1, false)), Some((0, false)), Some((0, true))]);
        assert!(!limit.count(other, at(59)).unwrap().over);
        assert_eq!(limit.count(one, at(59)).map(|w| (w.reset, w.wait)), Some((60_060, 1)));
        assert!(!limit.count(one, at(60)).unwrap().over);
        assert_eq!(RateLimit::new(0).count(one, at(0)), None);
    }

    #[test]
    fn addresses_of_one_network_share_a_count_in_either_spelling() {
        let at = |text: &str| Subject::at(text.parse().unwrap());
        assert_eq!(at("2001:db8:1:2:3::4"), at("2001:db8:1:2::ffff"));
        assert_ne!(at("2001:db8:1:2::1"), at("2001:db8:1:3::1"));
        assert_eq!(at("::ffff:192.0.2.1"), at("192.0.2.1"));
        assert_ne!(at("192.0.2.1"), at("192.0.2.2"));
    }
}
