//! What handlers share: the runtime, and what only HTTP needs.

use crate::api::{rate::RateLimit, streams::Streams};
use axum::http::HeaderValue;
use metrics_exporter_prometheus::PrometheusHandle;
use runtime::Context;
use std::{ops::Deref, sync::Arc};

/// Shared by all handlers; cloning is cheap.
#[derive(Clone)]
pub struct AppState {
    runtime: Context,
    http: Arc<Http>,
}

/// See [`AppState`].
pub(crate) struct Http {
    /// Under which the server is reached, where it was told.
    public_url: Option<String>,
    /// Renders `/metrics`.
    pub(crate) metrics: PrometheusHandle,
    /// How often a key may ask.
    pub(crate) rate_limit: RateLimit,
    /// Who follows executions.
    pub(crate) streams: Streams,
}

impl Deref for AppState {
    type Target = Context;
    fn deref(&self) -> &Context {
        &self.runtime
    }
}

impl AppState {
    /// `public_url` is what Meta and browsers call; a rate of 0 is without limit.
    pub fn new(
        runtime: Context,
        public_url: Option<String>,
        rate_limit_per_minute: u32,
        metrics: PrometheusHandle,
    ) -> Self {
        let rate_limit = RateLimit::new(rate_limit_per_minute);
        Self { runtime, http: Arc::new(Http { public_url, metrics, rate_limit, streams: Streams::default() }) }
    }

    pub(crate) fn http(&self) -> &Http {
        &self.http
    }

    /// Where a client that asked this host finds us: what the operator says, else what the client says.
    pub(crate) fn base_url(&self, host: Option<&HeaderValue>) -> String {
        match &self.http.public_url {
            Some(url) => url.trim_end_matches('/').into(),
            None => format!("http://{}", host.and_then(|host| host.to_str().ok()).unwrap_or("localhost")),
        }
    }
}
