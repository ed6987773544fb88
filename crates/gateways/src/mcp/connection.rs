//! The way to one MCP server: a pinned client, the configured headers, the time that is left and the bytes that are left.

use super::failure::Failure;
use crate::{
    body::Progress,
    egress::{Egress, FailureCode, Pinned, refusal_for},
};
use bytes::Bytes;
use reqwest::{
    Method, Response,
    header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use serde_json::Value;
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use tokio::time::{Instant, timeout, timeout_at};
use url::Url;

/// For what we say out of politeness: an answer to a question of the server, the end of a session.
const POLITENESS: Duration = Duration::from_secs(1);
/// In the words of the protocol: a server may answer either way.
const ANSWERS: HeaderValue = HeaderValue::from_static("application/json, text/event-stream");
const EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream");

/// A header of one message.
pub(super) type Header = (HeaderName, HeaderValue);

#[derive(Debug)]
pub(super) struct Link {
    client: Pinned,
    headers: HeaderMap,
    until: Instant,
    most: usize,
    left: AtomicUsize,
}

impl Link {
    /// Checks and resolves the URL; nothing is connected to yet.
    pub(super) async fn open(egress: &Egress, url: &str, headers: HeaderMap, time: Duration) -> Result<Self, Failure> {
        let until = Instant::now() + time;
        let client = timeout_at(until, egress.pinned(url)).await.map_err(|_| Failure::read_timeout())??;
        let most = egress.limits().body;
        Ok(Self { client, headers, until, most, left: AtomicUsize::new(most) })
    }

    /// The configured URL.
    pub(super) fn url(&self) -> &Url {
        self.client.url()
    }

    /// Headers that go with every message from now on.
    pub(super) fn remember(&mut self, (name, mut value): Header) {
        value.set_sensitive(true);
        self.headers.insert(name, value);
    }

    /// Sends a message, once. The answer is a success.
    pub(super) async fn post(&self, url: &Url, message: &Value, header: Option<Header>) -> Result<Response, Failure> {
        let progress = Progress::default();
        let body = Bytes::from(message.to_string());
        let mut request = self
            .client
            .request(Method::POST, url)?
            .headers(self.headers.clone())
            .header(ACCEPT, ANSWERS)
            .header(CONTENT_TYPE, "application/json")
            .header(CONTENT_LENGTH, body.len())
            .body(progress.follow(body));
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        match timeout_at(self.until, request.send()).await {
            Ok(response) => success(response),
            Err(_) if progress.handed_over() => Err(Failure::read_timeout()),
            Err(_) => Err(Failure::write_timeout()),
        }
    }

    /// Answers a question of the server. Whether it takes the answer is its own affair.
    pub(super) async fn reply(&self, url: &Url, message: &Value) {
        timeout(POLITENESS, self.post(url, message, None)).await.ok();
    }

    /// Opens a stream of events.
    pub(super) async fn listen(&self, header: Option<Header>) -> Result<Response, Failure> {
        let mut request = self.client.request(Method::GET, self.url())?.headers(self.headers.clone());
        request = request.header(ACCEPT, EVENTS);
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        let response = timeout_at(self.until, request.send()).await.map_err(|_| Failure::read_timeout())?;
        let response = success(response)?;
        if !is(&response, "text/event-stream") {
            return Err(Failure::bad_response("the MCP server does not answer with a stream of events"));
        }
        Ok(response)
    }

    /// The next bytes of an answer; none when it ends or breaks off. May be dropped while it waits: nothing is lost.
    pub(super) async fn read(&self, response: &mut Response) -> Result<Option<Bytes>, Failure> {
        let chunk = timeout_at(self.until, response.chunk()).await.map_err(|_| Failure::read_timeout())?;
        let bytes = match chunk {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Ok(None),
            Err(error) => {
                let refusal = refusal_for(&error);
                // The stream may go on elsewhere; whoever needs more of it says that it ended too early.
                return if refusal.code == FailureCode::BadResponse { Ok(None) } else { Err(refusal.into()) };
            }
        };
        let enough = |left: usize| left.checked_sub(bytes.len());
        if self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, enough).is_err() {
            return Err(Failure::bad_response(format!("the MCP server's answers are longer than {} bytes", self.most)));
        }
        Ok(Some(bytes))
    }

    /// The whole answer.
    pub(super) async fn read_all(&self, mut response: Response) -> Result<Vec<u8>, Failure> {
        let mut all = Vec::new();
        while let Some(bytes) = self.read(&mut response).await? {
            all.extend_from_slice(&bytes);
        }
        Ok(all)
    }

    /// Waits, if there is time for it.
    pub(super) async fn pause(&self, time: Duration) -> Result<(), Failure> {
        timeout_at(self.until, tokio::time::sleep(time)).await.map_err(|_| Failure::read_timeout())
    }

    /// Ends the session. The result is known by then and does not wait for it: the server gets a moment, in which the
    /// only task of this module runs.
    pub(super) fn farewell(self) {
        let Ok(request) = self.client.request(Method::DELETE, self.client.url()) else { return };
        let farewell = request.headers(self.headers).send();
        tokio::spawn(async move { timeout(POLITENESS, farewell).await.ok() });
    }
}

/// Whether an answer is of a kind.
pub(super) fn is(response: &Response, kind: &str) -> bool {
    let value = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(kind)
}

fn success(response: Result<Response, reqwest::Error>) -> Result<Response, Failure> {
    let response = response.map_err(|error| refusal_for(&error))?;
    if response.status().is_success() { Ok(response) } else { Err(Failure::status(response.status())) }
}
