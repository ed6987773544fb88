//! Callback addresses.

use std::{net::IpAddr, sync::Arc};

use tokio::sync::Semaphore;
use url::{Host, Url};

/// Most concurrent posts to one target.
const CONCURRENCY: usize = 8;

/// A checked callback address.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) url: Url,
    pub(crate) slots: Arc<Semaphore>,
}

/// Reason for a refused callback address.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadTarget {
    #[error("callback_url is not an http or https address")]
    NotHttp,
    #[error("callback_url must be a loopback address; allow_remote_callback lifts this")]
    Remote,
}

impl Target {
    pub(crate) fn parse(url: &str, allow_remote: bool) -> Result<Self, BadTarget> {
        let url = Url::parse(url).map_err(|_| BadTarget::NotHttp)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(BadTarget::NotHttp);
        }
        if !allow_remote && !is_loopback(&url) {
            return Err(BadTarget::Remote);
        }
        Ok(Self { url, slots: Arc::new(Semaphore::new(CONCURRENCY)) })
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remote_callbacks_need_permission() {
        for url in ["http://127.0.0.1:1/x", "http://localhost/x", "https://[::1]/x"] {
            assert!(Target::parse(url, false).is_ok(), "{url}");
        }
        for url in ["http://example.com/x", "http://10.0.0.1/x", "http://localhost.evil.test/"] {
            assert!(matches!(Target::parse(url, false), Err(BadTarget::Remote)), "{url}");
            assert!(Target::parse(url, true).is_ok(), "{url}");
        }
        for url in ["file:///etc/passwd", "nonsense", ""] {
            assert!(matches!(Target::parse(url, true), Err(BadTarget::NotHttp)), "{url}");
        }
    }
}
