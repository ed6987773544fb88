//! The client of the Graph API.

use super::{Outgoing, SendOutcome, outcome::of_answer, request::read_receipt};
use crate::{ClientError, InProcess, body::Progress, wire};
use bytes::Bytes;
use reqwest::{
    Client, Response,
    header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap},
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::time::Duration;
use url::Url;

const CONNECT: Duration = Duration::from_secs(3);
const TOTAL: Duration = Duration::from_secs(15);
/// Shorter than the servers' idle time, so that a server rarely closes a connection during a new
/// request.
const IDLE: Duration = Duration::from_secs(10);
/// Longer responses are not read.
const ANSWER_BYTES: usize = 1 << 20;

/// A client of the Graph API for all numbers. Clones share connections.
#[derive(Debug, Clone)]
pub struct GraphClient(Backend);

#[derive(Debug, Clone)]
enum Backend {
    Http(Http),
    InProcess(InProcess<Posted, Exchange>),
}

#[derive(Debug, Clone)]
struct Http {
    client: Client,
    base: Url,
    total: Duration,
}

/// A message that an in-process Meta receives.
#[derive(Debug, Clone, PartialEq)]
pub struct Posted {
    pub phone_number_id: String,
    pub body: Value,
}

/// The result of posting a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exchange {
    Answered {
        /// HTTP status.
        http: u16,
        /// JSON, or other bytes.
        body: Vec<u8>,
    },
    /// No response arrived.
    Broken {
        /// True if the whole request was written, so Meta may have it.
        handed_over: bool,
    },
}

impl GraphClient {
    /// `base_url` is `https://graph.facebook.com` or the emulator's; `version` is for example
    /// `v25.0`.
    pub fn new(base_url: &str, version: &str) -> Result<Self, ClientError> {
        Self::with_total(base_url, version, TOTAL)
    }

    /// `total` limits one whole request.
    pub fn with_total(base_url: &str, version: &str, total: Duration) -> Result<Self, ClientError> {
        Ok(Self(Backend::Http(Http::new(base_url, version, total)?)))
    }

    /// A client that calls a function instead of Meta.
    pub const fn in_process(meta: InProcess<Posted, Exchange>) -> Self {
        Self(Backend::InProcess(meta))
    }

    /// For other calls of the API: the connections, the base URL with its version, and the time
    /// limit.
    pub(in super::super) fn connection(&self) -> Option<(&Client, &Url, Duration)> {
        let Backend::Http(http) = &self.0 else { return None };
        Some((&http.client, &http.base, http.total))
    }

    /// Sends one message once.
    pub async fn send(&self, phone_number_id: &str, token: &SecretString, message: &Outgoing) -> SendOutcome {
        let outcome = match &self.0 {
            Backend::Http(http) => http.send(phone_number_id, token, &message.to_json()).await,
            Backend::InProcess(meta) => {
                let posted = Posted { phone_number_id: phone_number_id.to_owned(), body: message.to_json() };
                match meta.call(posted).await {
                    Exchange::Answered { http, body } => {
                        of_answer(http, &HeaderMap::new(), Some(&body), token.expose_secret())
                    }
                    Exchange::Broken { handed_over } => broken(handed_over, String::from("the connection broke")),
                }
            }
        };
        tracing::debug!(phone_number_id, outcome = outcome.word(), "sent to Meta");
        outcome
    }

    /// Marks an inbound message as read; `typing` also shows the typing indicator. Best effort;
    /// true if Meta confirmed.
    pub async fn mark_read(&self, phone_number_id: &str, token: &SecretString, wamid: &str, typing: bool) -> bool {
        let Backend::Http(http) = &self.0 else { return false };
        let body = read_receipt(wamid, typing);
        match http.post(phone_number_id, token, &body, &Progress::default()).await {
            Ok(response) => response.status().is_success(),
            Err(error) => {
                tracing::debug!(cause = wire::explain(&error), "read receipt not sent");
                false
            }
        }
    }
}

/// After the whole request was written, any error may hide a sent message.
fn broken(handed_over: bool, message: String) -> SendOutcome {
    if handed_over { SendOutcome::Unknown { message } } else { SendOutcome::NotSent { message } }
}

impl Http {
    fn new(base_url: &str, version: &str, total: Duration) -> Result<Self, ClientError> {
        let mut base =
            Url::parse(base_url).map_err(|error| ClientError(format!("the Graph base URL is not a URL: {error}")))?;
        base.path_segments_mut()
            .map_err(|()| ClientError(String::from("the Graph base URL cannot have a path")))?
            .pop_if_empty()
            .push(version);
        let client = wire::builder().connect_timeout(CONNECT).pool_idle_timeout(IDLE).build()?;
        Ok(Self { client, base, total })
    }

    async fn send(&self, phone_number_id: &str, token: &SecretString, body: &Value) -> SendOutcome {
        let progress = Progress::default();
        match self.post(phone_number_id, token, body, &progress).await {
            Ok(mut response) => {
                let http = response.status().as_u16();
                let headers = response.headers().clone();
                let body = wire::read_capped(&mut response, ANSWER_BYTES).await.ok();
                let body = body.as_ref().map(|(bytes, _)| bytes.as_slice());
                of_answer(http, &headers, body, token.expose_secret())
            }
            Err(error) => {
                let message = wire::presentable(&wire::explain(&error), Some(token.expose_secret()));
                broken(progress.handed_over(), message)
            }
        }
    }

    async fn post(
        &self,
        phone_number_id: &str,
        token: &SecretString,
        body: &Value,
        progress: &Progress,
    ) -> Result<Response, reqwest::Error> {
        let bytes = Bytes::from(body.to_string());
        self.client
            .post(self.url(phone_number_id))
            .timeout(self.total)
            .bearer_auth(token.expose_secret())
            .header(CONTENT_TYPE, "application/json")
            .header(CONTENT_LENGTH, bytes.len())
            .body(progress.follow(bytes))
            .send()
            .await
    }

    /// Encodes the id as a path segment, so that slashes and dots in a configured id cannot change
    /// the path.
    fn url(&self, phone_number_id: &str) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.push(phone_number_id).push("messages");
        }
        url
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phone_number_id_cannot_change_the_path() {
        let client = |base: &str| Http::new(base, "v25.0", TOTAL);
        for base in ["https://graph.example", "https://graph.example/"] {
            let client = client(base).unwrap();
            assert_eq!(client.url("1").as_str(), "https://graph.example/v25.0/1/messages");
            assert_eq!(client.url("../x/y?z").as_str(), "https://graph.example/v25.0/..%2Fx%2Fy%3Fz/messages");
        }
        let prefixed = client("https://proxy.example/meta/").unwrap();
        assert_eq!(prefixed.url("1").as_str(), "https://proxy.example/meta/v25.0/1/messages");
        assert!(client("graph.example").is_err());
        assert!(client("data:x").is_err());
    }
}
