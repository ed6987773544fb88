//! The connection to one MCP server: a pinned client, the configured headers, and what is left of
//! the time and size limits.

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

/// The time for messages whose result does not matter: replies to the server, the end of a session.
const POLITENESS: Duration = Duration::from_secs(1);
/// Required by the protocol: a server may respond in either form.
const ANSWERS: HeaderValue = HeaderValue::from_static("application/json, text/event-stream");
const EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream");

pub(super) type Header = (HeaderName, HeaderValue);

#[derive(Debug)]
pub(super) struct Connection {
    client: Pinned,
    headers: HeaderMap,
    until: Instant,
    most: usize,
    left: AtomicUsize,
}

impl Connection {
    /// Checks and resolves the URL without connecting.
    pub(super) async fn open(egress: &Egress, url: &str, headers: HeaderMap, time: Duration) -> Result<Self, Failure> {
        let until = Instant::now() + time;
        let client = timeout_at(until, egress.pinned(url)).await.map_err(|_| Failure::read_timeout())??;
        let most = egress.limits().body;
        Ok(Self { client, headers, until, most, left: AtomicUsize::new(most) })
    }

    pub(super) fn url(&self) -> &Url {
        self.client.url()
    }

    /// Adds a header to all later messages.
    pub(super) fn add_header(&mut self, (name, mut value): Header) {
        value.set_sensitive(true);
        self.headers.insert(name, value);
    }

    /// Sends a message once; fails unless the response is a success.
    pub(super) async fn post(&self, url: &Url, message: &Value, header: Option<Header>) -> Result<Response, Failure> {
        let progress = Progress::default();
        let body = Bytes::from(domain::numbers::unmarked(message.to_string()));
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

    /// Replies to a request of the server. A failure is ignored.
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

    /// The next bytes of a response; none when it ends or breaks off. Cancel-safe.
    pub(super) async fn read(&self, response: &mut Response) -> Result<Option<Bytes>, Failure> {
        let chunk = timeout_at(self.until, response.chunk()).await.map_err(|_| Failure::read_timeout())?;
        let bytes = match chunk {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Ok(None),
            Err(error) => {
                let refusal = refusal_for(&error);
                // The stream may be resumed. A caller that needs more of it reports the early end.
                return if refusal.code == FailureCode::BadResponse { Ok(None) } else { Err(refusal.into()) };
            }
        };
        let enough = |left: usize| left.checked_sub(bytes.len());
        if self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, enough).is_err() {
            return Err(Failure::bad_response(format!("the MCP server's answers are longer than {} bytes", self.most)));
        }
        Ok(Some(bytes))
    }

    pub(super) async fn read_all(&self, mut response: Response) -> Result<Vec<u8>, Failure> {
        let mut all = Vec::new();
        while let Some(bytes) = self.read(&mut response).await? {
            all.extend_from_slice(&bytes);
        }
        Ok(all)
    }

    /// Waits, unless the time limit is shorter.
    pub(super) async fn pause(&self, time: Duration) -> Result<(), Failure> {
        timeout_at(self.until, tokio::time::sleep(time)).await.map_err(|_| Failure::read_timeout())
    }

    /// Ends the session in a background task, the only one of this module: the result is complete
    /// and need not wait.
    pub(super) fn end_session(self) {
        let Ok(request) = self.client.request(Method::DELETE, self.client.url()) else { return };
        let end_session = request.headers(self.headers).send();
        tokio::spawn(async move { timeout(POLITENESS, end_session).await.ok() });
    }
}

/// Compares the content type of a response.
pub(super) fn is(response: &Response, kind: &str) -> bool {
    let value = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(kind)
}

fn success(response: Result<Response, reqwest::Error>) -> Result<Response, Failure> {
    let response = response.map_err(|error| refusal_for(&error))?;
    if response.status().is_success() { Ok(response) } else { Err(Failure::status(response.status())) }
}
