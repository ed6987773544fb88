//! The connection to the Graph API.

use super::{Outgoing, SendOutcome, outcome::of_answer, request::read_receipt};
use crate::{ClientError, body::Progress, wire};
use bytes::Bytes;
use reqwest::{
    Client, Response,
    header::{CONTENT_LENGTH, CONTENT_TYPE},
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::time::Duration;
use url::Url;

const CONNECT: Duration = Duration::from_secs(3);
const TOTAL: Duration = Duration::from_secs(15);
/// Shorter than what servers keep, so that one rarely closes a connection under a fresh request.
const IDLE: Duration = Duration::from_secs(10);
/// Meta's answers are small; more is not read.
const ANSWER_BYTES: usize = 1 << 20;

/// A client of the Graph API, shared by all numbers. Cloning shares its connections.
#[derive(Debug, Clone)]
pub struct GraphClient {
    http: Client,
    base: Url,
    total: Duration,
}

impl GraphClient {
    /// A client for `https://graph.facebook.com` (or the emulator's URL) and a version such as `v25.0`.
    pub fn new(base_url: &str, version: &str) -> Result<Self, ClientError> {
        Self::with_total(base_url, version, TOTAL)
    }

    /// The same with another limit for one whole exchange.
    pub fn with_total(base_url: &str, version: &str, total: Duration) -> Result<Self, ClientError> {
        let mut base =
            Url::parse(base_url).map_err(|error| ClientError(format!("the Graph base URL is not a URL: {error}")))?;
        base.path_segments_mut()
            .map_err(|()| ClientError(String::from("the Graph base URL cannot have a path")))?
            .pop_if_empty()
            .push(version);
        let http = wire::builder().connect_timeout(CONNECT).pool_idle_timeout(IDLE).build()?;
        Ok(Self { http, base, total })
    }

    /// What the other calls of the API use: the connections, the base with its version, and the limit of one exchange.
    pub(in super::super) fn connection(&self) -> Option<(&Client, &Url, Duration)> {
        Some((&self.http, &self.base, self.total))
    }

    /// Sends one message, once.
    pub async fn send(&self, phone_number_id: &str, token: &SecretString, message: &Outgoing) -> SendOutcome {
        let progress = Progress::default();
        let posted = self.post(phone_number_id, token, &message.to_json(), &progress).await;
        let outcome = match posted {
            Ok(mut response) => {
                let http = response.status().as_u16();
                let headers = response.headers().clone();
                let body = wire::read_capped(&mut response, ANSWER_BYTES).await.ok();
                let body = body.as_ref().map(|(bytes, _)| bytes.as_slice());
                of_answer(http, &headers, body, token.expose_secret())
            }
            Err(error) => {
                let message = wire::presentable(&wire::explain(&error), Some(token.expose_secret()));
                // Nothing else counts: an error that looks harmless after this point may hide a message that went out.
                if !progress.handed_over() {
                    SendOutcome::NotSent { message }
                } else {
                    SendOutcome::Unknown { message }
                }
            }
        };
        tracing::debug!(phone_number_id, outcome = outcome.word(), "sent to Meta");
        outcome
    }

    /// Marks an inbound message as read, with `typing` also shows that we type. Best effort: whether Meta confirmed.
    pub async fn mark_read(&self, phone_number_id: &str, token: &SecretString, wamid: &str, typing: bool) -> bool {
        let body = read_receipt(wamid, typing);
        match self.post(phone_number_id, token, &body, &Progress::default()).await {
            Ok(response) => response.status().is_success(),
            Err(error) => {
                tracing::debug!(cause = wire::explain(&error), "read receipt not sent");
                false
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
        self.http
            .post(self.url(phone_number_id))
            .timeout(self.total)
            .bearer_auth(token.expose_secret())
            .header(CONTENT_TYPE, "application/json")
            .header(CONTENT_LENGTH, bytes.len())
            .body(progress.follow(bytes))
            .send()
            .await
    }

    /// The id is a path segment and stays one: slashes and dots in a configured id lead nowhere else.
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
    fn a_number_stays_inside_its_path_segment() {
        for base in ["https://graph.example", "https://graph.example/"] {
            let client = GraphClient::new(base, "v25.0").unwrap();
            assert_eq!(client.url("1").as_str(), "https://graph.example/v25.0/1/messages");
            assert_eq!(client.url("../x/y?z").as_str(), "https://graph.example/v25.0/..%2Fx%2Fy%3Fz/messages");
        }
        let prefixed = GraphClient::new("https://proxy.example/meta/", "v25.0").unwrap();
        assert_eq!(prefixed.url("1").as_str(), "https://proxy.example/meta/v25.0/1/messages");
        assert!(GraphClient::new("graph.example", "v25.0").is_err());
        assert!(GraphClient::new("data:x", "v25.0").is_err());
    }
}
