//! How many requests a key may make in a minute, and how many an address without a valid one: a fixed window for each, counted by
//! each node for itself.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use domain::{Timestamp, ids::ApiKeyId};
use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, PoisonError},
};

/// Whose requests are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Who {
    Key(ApiKeyId),
    Address(IpAddr),
}

impl Who {
    /// Of one network, where a host has as many addresses as it likes.
    pub(crate) fn at(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(address) => Self::Address(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into()),
            address => Self::Address(address),
        }
    }
}

/// Counts requests; 0 means no limit.
#[derive(Debug)]
pub(crate) struct RateLimit {
    per_minute: u32,
    minute: Mutex<(i64, HashMap<Who, u32>)>,
}

/// Where a key stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    limit: u32,
    remaining: u32,
    /// Unix seconds.
    reset: i64,
    /// Seconds from now.
    wait: i64,
    /// Whether the request is beyond the limit.
    pub(crate) over: bool,
}

impl RateLimit {
    pub(crate) fn new(per_minute: u32) -> Self {
        Self { per_minute, minute: Mutex::default() }
    }

    /// Counts one request; `None` without a limit.
    pub(crate) fn count(&self, who: Who, now: Timestamp) -> Option<Window> {
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

impl Window {
    /// Tells the client.
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
    use domain::{Id, Span};
    use uuid::Uuid;

    #[test]
    fn each_key_has_its_own_count_which_begins_anew_with_each_minute() {
        let limit = RateLimit::new(2);
        let (one, other) = (Who::Key(Id::from_uuid(Uuid::from_u128(1))), Who::Key(Id::from_uuid(Uuid::from_u128(2))));
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
    fn an_address_counts_with_its_network_and_in_either_spelling() {
        let at = |text: &str| Who::at(text.parse().unwrap());
        assert_eq!(at("2001:db8:1:2:3::4"), at("2001:db8:1:2::ffff"));
        assert_ne!(at("2001:db8:1:2::1"), at("2001:db8:1:3::1"));
        assert_eq!(at("::ffff:192.0.2.1"), at("192.0.2.1"));
        assert_ne!(at("192.0.2.1"), at("192.0.2.2"));
    }
}
