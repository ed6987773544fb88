//! State shared by handlers: the runtime and what only HTTP needs.

use crate::api::{large_bodies::LargeBodies, rate::RateLimit, streams::Streams, unverified::Unverified};
use axum::http::HeaderValue;
use domain::Timestamp;
use metrics_exporter_prometheus::PrometheusHandle;
use runtime::Context;
use std::{
    net::{Ipv4Addr, Ipv6Addr},
    ops::Deref,
    sync::Arc,
    time::Duration,
};
use tokio::sync::Mutex;

/// A verify token is as short as its owner chose it, so guesses are slow.
const FAILED_HANDSHAKES_PER_MINUTE: u32 = 20;

/// Shared by all handlers; cloning is cheap.
#[derive(Clone)]
pub struct AppState {
    runtime: Context,
    http: Arc<Http>,
}

pub(crate) struct Http {
    /// Public base URL, if configured.
    public_url: Option<String>,
    /// Base URL on this machine.
    local_url: String,
    /// Renders `/metrics`.
    pub(crate) metrics: PrometheusHandle,
    pub(crate) rate_limit: RateLimit,
    /// Failed webhook handshakes of an address.
    pub(crate) handshakes: RateLimit,
    /// Open event streams.
    pub(crate) streams: Streams,
    /// Memory for bodies of webhooks.
    pub(crate) unverified: Unverified,
    pub(crate) large_bodies: Arc<LargeBodies>,
    /// Time and result of the last trial write to the database.
    pub(crate) last_probe: Mutex<Option<(Timestamp, Probe)>>,
    /// Time at which due work was counted for the metrics.
    pub(crate) queues_measured: Mutex<Option<Timestamp>>,
}

/// Duration of a trial write, or why it failed.
pub(crate) type Probe = Result<Duration, String>;

impl Deref for AppState {
    type Target = Context;
    fn deref(&self) -> &Context {
        &self.runtime
    }
}

impl AppState {
    /// `public_url` is called by Meta and browsers; without one, links have the `Host` of a request
    /// or `local_url`. A rate of 0 means no limit.
    pub fn new(
        runtime: Context,
        public_url: Option<String>,
        local_url: String,
        rate_limit_per_minute: u32,
        metrics: PrometheusHandle,
    ) -> Self {
        let http = Http {
            public_url,
            local_url,
            metrics,
            rate_limit: RateLimit::new(rate_limit_per_minute),
            handshakes: RateLimit::new(FAILED_HANDSHAKES_PER_MINUTE),
            streams: Streams::default(),
            unverified: Unverified::default(),
            large_bodies: Arc::default(),
            last_probe: Mutex::default(),
            queues_measured: Mutex::default(),
        };
        Self { runtime, http: Arc::new(http) }
    }

    pub(crate) fn http(&self) -> &Http {
        &self.http
    }

    /// Base URL for links: configured, or from the `Host` header. Any client can send any `Host`, so
    /// only addresses and `localhost` are taken from there.
    pub(crate) fn base_url(&self, host: Option<&HeaderValue>) -> String {
        match &self.http.public_url {
            Some(url) => url.trim_end_matches('/').into(),
            None => match host.and_then(|host| host.to_str().ok()).filter(|host| is_local(host)) {
                Some(host) => format!("http://{host}"),
                None => self.http.local_url.clone(),
            },
        }
    }
}

/// True for `localhost` or an address, with or without a port.
fn is_local(host: &str) -> bool {
    let is_port = |port: &str| port.parse::<u16>().is_ok() && !port.starts_with('+');
    let name = host.rsplit_once(':').filter(|(_, port)| is_port(port)).map_or(host, |(name, _)| name);
    match name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => name.eq_ignore_ascii_case("localhost") || name.parse::<Ipv4Addr>().is_ok(),
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
}
