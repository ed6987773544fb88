//! State shared by handlers: the runtime and what only HTTP needs.

use crate::{
    api::{
        large_bodies::LargeBodies, last_uses::LastUses, rate::RateLimit, streams::Streams, throttle::Throttle,
        unverified::Unverified,
    },
    hosts::{self, Hosts},
    project_limits::ProjectLimits,
};
use axum::{Router, http::HeaderValue};
use domain::Timestamp;
use gateways::whatsapp::GraphVersion;
use metrics_exporter_prometheus::PrometheusHandle;
use runtime::Context;
use std::{
    ops::Deref,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError},
    time::Duration,
};
use subtle::ConstantTimeEq as _;
use tokio::sync::Mutex;

/// A verify token is as short as its owner chose it, so guesses are slow.
const FAILED_HANDSHAKES_PER_MINUTE: u32 = 20;

/// Setup pages of an address, and forms sent from them: each form asks Meta several times.
const SETUP_PAGES_PER_MINUTE: u32 = 60;
const SETUP_FORMS_PER_MINUTE: u32 = 10;

/// Requests of a session per request of a key.
const SESSION_FACTOR: u32 = 6;

/// Shared by all handlers; cloning is cheap.
#[derive(Clone)]
pub struct AppState {
    runtime: Context,
    http: Arc<Http>,
}

/// Addresses under which clients reach the server.
#[derive(Debug, Clone, Default)]
pub struct Addresses {
    /// Public base URL, which Meta and browsers call. Without one, links have the `Host` of a
    /// request or `local_url`.
    pub public_url: Option<String>,
    /// Base URL on this machine.
    pub local_url: String,
    /// Names that a request may have as its `Host`.
    pub hosts: Hosts,
    /// Meta's sign-up, to which pages of setup links lead.
    pub sign_up: Option<SignUp>,
    pub graph_version: GraphVersion,
    pub phone: Phone,
    pub data_dir: PathBuf,
}

/// Emulated phone of the dashboard. No setting leads to one.
#[derive(Debug, Clone, Default)]
pub enum Phone {
    #[default]
    None,
    /// In another process.
    Apart,
    /// The control API of this process's emulator.
    Here(Router),
}

/// Embedded sign-up with an app of ours at Meta.
#[derive(Debug, Clone)]
pub struct SignUp {
    pub app_id: String,
    /// Configuration of Facebook Login for Business.
    pub config_id: Option<String>,
    pub dialog_base_url: String,
    pub graph_version: GraphVersion,
}

pub(crate) struct Http {
    addresses: Addresses,
    /// Renders `/metrics`.
    pub(crate) metrics: PrometheusHandle,
    pub(crate) rate_limit: RateLimit,
    pub(crate) project_rate: RateLimit,
    pub(crate) projects: ProjectLimits,
    /// Requests of sessions: pages send many small ones.
    pub(crate) session_limit: RateLimit,
    /// Failed sign-ins.
    pub(crate) throttle: Throttle,
    pub(crate) last_uses: LastUses,
    /// Hash of the one-time entry of `dev`, until it is used.
    pub(crate) entry: std::sync::Mutex<Option<[u8; 32]>>,
    /// Failed webhook handshakes of an address.
    pub(crate) handshakes: RateLimit,
    /// Setup pages of an address.
    pub(crate) setup_pages: RateLimit,
    /// Forms of setup pages of an address.
    pub(crate) setup_forms: RateLimit,
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

impl Http {
    /// Configured base URL.
    pub(crate) fn public_url(&self) -> Option<&str> {
        self.addresses.public_url.as_deref()
    }

    pub(crate) fn phone(&self) -> &Phone {
        &self.addresses.phone
    }

    pub(crate) fn data_dir(&self) -> &Path {
        &self.addresses.data_dir
    }

    /// The version that calls of the Graph API name.
    pub(crate) fn graph_version(&self) -> &GraphVersion {
        &self.addresses.graph_version
    }

    pub(crate) fn sign_up(&self) -> Option<&SignUp> {
        self.addresses.sign_up.as_ref()
    }
}

impl Deref for AppState {
    type Target = Context;
    fn deref(&self) -> &Context {
        &self.runtime
    }
}

impl AppState {
    /// A rate of 0 means no limit.
    pub fn new(
        runtime: Context,
        addresses: Addresses,
        rate_limit_per_minute: u32,
        projects: ProjectLimits,
        metrics: PrometheusHandle,
    ) -> Self {
        let http = Http {
            addresses,
            metrics,
            rate_limit: RateLimit::new(rate_limit_per_minute),
            project_rate: RateLimit::new(projects.requests_per_minute),
            projects,
            session_limit: RateLimit::new(rate_limit_per_minute.saturating_mul(SESSION_FACTOR)),
            throttle: Throttle::default(),
            last_uses: LastUses::default(),
            entry: std::sync::Mutex::default(),
            handshakes: RateLimit::new(FAILED_HANDSHAKES_PER_MINUTE),
            setup_pages: RateLimit::new(SETUP_PAGES_PER_MINUTE),
            setup_forms: RateLimit::new(SETUP_FORMS_PER_MINUTE),
            streams: Streams::new(projects.streams),
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

    /// False for a name that is not ours: a page of any site can point its own name at this server.
    pub(crate) fn allows_host(&self, host: Option<&HeaderValue>) -> bool {
        // Only programs that are no browsers leave it out.
        host.is_none_or(|host| self.http.addresses.hosts.allow(host.to_str().unwrap_or_default()))
    }

    /// Sets the one-time entry of `dev` by its hash.
    pub(crate) fn set_entry(&self, hash: Option<[u8; 32]>) {
        *self.http.entry.lock().unwrap_or_else(PoisonError::into_inner) = hash;
    }

    /// True if the entry fits; then it cannot be used again.
    pub(crate) fn take_entry(&self, hash: &[u8; 32]) -> bool {
        let mut entry = self.http.entry.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = entry.is_some_and(|known| bool::from(known.ct_eq(hash)));
        if fits {
            *entry = None;
        }
        fits
    }

    /// True if browsers reach this host over https, or on the same machine: they take `Secure`
    /// cookies only there.
    pub(crate) fn is_secure(&self, host: Option<&HeaderValue>) -> bool {
        let is_https = self.http.addresses.public_url.as_ref().is_some_and(|url| url.starts_with("https://"));
        is_https || host.and_then(|host| host.to_str().ok()).is_some_and(hosts::is_loopback)
    }

    /// Base URL for links: configured, or from the `Host` header. Any client can send any `Host`, so
    /// only addresses and `localhost` are taken from there.
    pub(crate) fn base_url(&self, host: Option<&HeaderValue>) -> String {
        match &self.http.addresses.public_url {
            Some(url) => url.trim_end_matches('/').into(),
            None => match host.and_then(|host| host.to_str().ok()).filter(|host| hosts::is_local(host)) {
                Some(host) => format!("http://{host}"),
                None => self.http.addresses.local_url.clone(),
            },
        }
    }
}
