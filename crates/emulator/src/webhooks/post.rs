//! One delivery attempt over HTTP.

use std::time::{Duration, Instant};

use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, USER_AGENT};

use super::{AttemptKind, Target, deliveries::Attempt};
use crate::clock::Millis;

/// Data of one attempt, copied so that no lock is held while it runs.
pub(crate) struct Outgoing {
    pub(crate) delivery: u64,
    pub(crate) kind: AttemptKind,
    pub(crate) at: Millis,
    pub(crate) target: Target,
    pub(crate) timeout: Duration,
    pub(crate) body: Bytes,
    pub(crate) signature: Option<String>,
}

/// Builds the client for callbacks: no proxy, no redirects.
pub(crate) fn client() -> Result<reqwest::Client, reqwest::Error> {
    // An error means that the process already has a provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build()
}

/// Posts a webhook and waits for the answer. A failure is part of the returned attempt.
pub(crate) async fn post(client: &reqwest::Client, outgoing: &Outgoing) -> Attempt {
    let _slot = outgoing.target.slots.acquire().await;
    let started = Instant::now();
    let mut request = client
        .post(outgoing.target.url.clone())
        .timeout(outgoing.timeout)
        .header(CONTENT_TYPE, "application/json")
        .header(USER_AGENT, "facebookexternalua")
        .body(outgoing.body.clone());
    if let Some(signature) = &outgoing.signature {
        request = request.header("X-Hub-Signature-256", signature);
    }
    let outcome = match request.send().await {
        Ok(answer) => Ok(answer.status().as_u16()),
        Err(error) if error.is_timeout() => Err("timeout".to_owned()),
        Err(error) if error.is_connect() => Err("connection refused".to_owned()),
        Err(_) => Err("connection broken".to_owned()),
    };
    let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::debug!(delivery = outgoing.delivery, ?outcome, ms, "webhook attempt");
    Attempt::new(outgoing.at, outgoing.target.url.as_str(), ms, outcome)
}
