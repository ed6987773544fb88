//! The request of an outgoing webhook, through the egress guard.
//!
//! A receiver gets many requests, so its client, with the addresses that were checked, is kept for a
//! minute: a connection is used again, and a changed name is noticed. Redirects are not followed.

use crate::{
    egress::{Egress, FailureCode, Pinned, Refusal, hook_headers, refusal_for},
    wire,
};
use bytes::Bytes;
use reqwest::{
    Method, Response,
    header::{CONTENT_TYPE, HeaderName, HeaderValue},
};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Any answer later than this is none (the contract's limit).
const PATIENCE: Duration = Duration::from_secs(10);
/// For the body after the status.
const BODY_PATIENCE: Duration = Duration::from_secs(1);
/// Time for which checked addresses are used.
const CHECKED_FOR: Duration = Duration::from_secs(60);
/// Bytes of an answer that are kept.
const ANSWER: usize = 2_048;
/// Receivers whose clients are kept.
const MOST: usize = 1_024;

/// A signed request.
#[derive(Debug, Clone)]
pub struct HookRequest {
    pub url: String,
    /// Of the user; they cannot replace ours.
    pub custom: Vec<(String, String)>,
    pub headers: Vec<(&'static str, String)>,
    pub body: Bytes,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookAnswer {
    pub status: u16,
    /// The start of the body.
    pub body: String,
}

/// Clients of receivers, by URL.
#[derive(Debug, Default)]
pub struct HookClients(Mutex<HashMap<String, (Instant, Pinned)>>);

impl HookClients {
    /// Posts a webhook. A kept connection that the receiver has closed is replaced once.
    pub async fn post(&self, egress: &Egress, request: &HookRequest) -> Result<HookAnswer, Refusal> {
        if egress.in_process_transport().is_some() {
            return Err(Refusal::unreachable());
        }
        let response = tokio::time::timeout(PATIENCE, async {
            let (client, is_used) = self.client(egress, &request.url).await?;
            match send(&client, request).await {
                Err(refusal) if is_used && refusal.code != FailureCode::BlockedAddress => {
                    self.forget(&request.url);
                    send(&self.client(egress, &request.url).await?.0, request).await
                }
                first => first,
            }
        });
        match response.await {
            Ok(response) => Ok(read(response?).await),
            Err(_) => Err(Refusal::late()),
        }
    }

    /// A client of the URL's server, and whether it was used before.
    async fn client(&self, egress: &Egress, url: &str) -> Result<(Pinned, bool), Refusal> {
        let kept =
            self.clients().get(url).filter(|(since, _)| since.elapsed() < CHECKED_FOR).map(|kept| kept.1.clone());
        if let Some(client) = kept {
            return Ok((client, true));
        }
        let client = egress.pinned(url).await?;
        let mut clients = self.clients();
        if clients.len() >= MOST {
            clients.retain(|_, (since, _)| since.elapsed() < CHECKED_FOR);
        }
        if clients.len() < MOST {
            clients.insert(url.to_owned(), (Instant::now(), client.clone()));
        }
        Ok((client, false))
    }

    fn forget(&self, url: &str) {
        self.clients().remove(url);
    }

    fn clients(&self) -> std::sync::MutexGuard<'_, HashMap<String, (Instant, Pinned)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn send(client: &Pinned, request: &HookRequest) -> Result<Response, Refusal> {
    let mut headers = hook_headers(&request.custom);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for (name, value) in &request.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
            headers.insert(name, value);
        }
    }
    let url = client.url().clone();
    let sent = client.request(Method::POST, &url)?.headers(headers).body(request.body.clone()).send().await;
    sent.map_err(|error| refusal_for(&error))
}

/// The status decides: a body that is slow or breaks off changes nothing.
async fn read(mut response: Response) -> HookAnswer {
    let status = response.status().as_u16();
    let body = tokio::time::timeout(BODY_PATIENCE, wire::read_capped(&mut response, ANSWER)).await;
    let bytes = body.ok().and_then(Result::ok).unwrap_or_default().0;
    // PostgreSQL stores no zero bytes in texts.
    HookAnswer { status, body: String::from_utf8_lossy(&bytes).replace('\0', "") }
}
