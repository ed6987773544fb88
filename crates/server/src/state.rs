//! State shared by handlers: the runtime and what only HTTP needs.

use crate::api::{large_bodies::LargeBodies, rate::RateLimit, streams::Streams, unverified::Unverified};
use axum::http::HeaderValue;
use domain::Timestamp;
use metrics_exporter_prometheus::PrometheusHandle;
use runtime::Context;
use std::{ops::Deref, sync::Arc, time::Duration};
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
    /// `public_url` is called by Meta and browsers. A rate of 0 means no limit.
    pub fn new(
        runtime: Context,
        public_url: Option<String>,
        rate_limit_per_minute: u32,
        metrics: PrometheusHandle,
    ) -> Self {
        let http = Http {
            public_url,
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

    /// Base URL for links: configured, or from the `Host` header.
    pub(crate) fn base_url(&self, host: Option<&HeaderValue>) -> String {
        match &self.http.public_url {
            Some(url) => url.trim_end_matches('/').into(),
            None => format!("http://{}", host.and_then(|host| host.to_str().ok()).unwrap_or("localhost")),
        }
    }
}
