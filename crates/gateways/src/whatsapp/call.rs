//! One call of the Graph API, except sends.

use super::{
    GraphClient,
    errors::ErrorClass,
    send::outcome::{MetaError, wait_ms},
};
use crate::{body::Progress, wire};
use bytes::Bytes;
use reqwest::{
    Method,
    header::{CONTENT_LENGTH, CONTENT_TYPE},
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::time::Duration;
use url::Url;

/// Far above a page of templates with all their components.
const ANSWER_BYTES: usize = 4 << 20;

/// A failed call, with the same cases as a failed send.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// Meta refused the call.
    #[error("{message}")]
    Refused {
        class: ErrorClass,
        code: Option<i64>,
        /// For example 33: the object is missing or not ours; 2388024: the template exists.
        subcode: Option<i64>,
        http: u16,
        /// Without the token.
        message: String,
        retry_after_ms: Option<i64>,
    },
    /// The call was not sent completely and may be repeated at once.
    #[error("{message}")]
    NotSent { message: String },
    /// An error at Meta, or no response: a change may or may not have happened.
    #[error("{message}")]
    Unknown { message: String },
}

impl CallError {
    /// True if the same call may succeed later without intervention.
    pub const fn is_passing(&self) -> bool {
        match self {
            Self::Refused { class, .. } => matches!(class, ErrorClass::Throttle),
            Self::NotSent { .. } | Self::Unknown { .. } => true,
        }
    }

    /// True if the object is missing or not visible with this token.
    pub fn is_missing_object(&self) -> bool {
        matches!(self, Self::Refused { code: Some(100), subcode: Some(33), .. })
            || matches!(self, Self::Refused { http: 404, code: None, .. })
    }

    pub(super) fn unreadable(what: &str) -> Self {
        Self::Unknown { message: format!("Meta's answer has no {what}") }
    }
}

pub(super) struct Call<'a> {
    pub(super) method: Method,
    /// Path segments after the version: `[waba, "message_templates"]`.
    pub(super) path: &'a [&'a str],
    pub(super) query: &'a [(&'a str, &'a str)],
    pub(super) body: Option<(String, Vec<Bytes>)>,
    /// A longer time limit, for slow calls.
    pub(super) total: Option<Duration>,
}

impl<'a> Call<'a> {
    pub(super) fn get(path: &'a [&'a str], query: &'a [(&'a str, &'a str)]) -> Self {
        Self { method: Method::GET, path, query, body: None, total: None }
    }

    pub(super) fn post(path: &'a [&'a str], body: &Value) -> Self {
        let bytes = vec![Bytes::from(body.to_string())];
        Self {
            method: Method::POST,
            path,
            query: &[],
            body: Some((String::from("application/json"), bytes)),
            total: None,
        }
    }

    pub(super) fn delete(path: &'a [&'a str], query: &'a [(&'a str, &'a str)]) -> Self {
        Self { method: Method::DELETE, path, query, body: None, total: None }
    }
}

impl GraphClient {
    /// Calls once and returns JSON.
    pub(super) async fn call(&self, token: &SecretString, call: Call<'_>) -> Result<Value, CallError> {
        let Some((http, base, total)) = self.connection() else {
            return Err(CallError::NotSent { message: String::from("this process has no connection to Meta") });
        };
        let progress = Progress::default();
        let mut request = http
            .request(call.method, url_below(base, call.path, call.query))
            .timeout(call.total.unwrap_or(total))
            .bearer_auth(token.expose_secret());
        let has_body = call.body.is_some();
        if let Some((kind, parts)) = call.body {
            let length: usize = parts.iter().map(Bytes::len).sum();
            request =
                request.header(CONTENT_TYPE, kind).header(CONTENT_LENGTH, length).body(progress.follow_all(parts));
        }
        let clean = |text: &str| wire::presentable(text, Some(token.expose_secret()));
        let mut response = request.send().await.map_err(|error| {
            let message = clean(&wire::explain(&error));
            // Without a body there is no progress: only a failed connection proves that nothing was
            // sent.
            let may_be_sent = if has_body { progress.handed_over() } else { !error.is_connect() };
            if may_be_sent { CallError::Unknown { message } } else { CallError::NotSent { message } }
        })?;
        let http = response.status().as_u16();
        let headers = response.headers().clone();
        let body = wire::read_capped(&mut response, ANSWER_BYTES).await;
        let (body, cut) = body.map_err(|error| CallError::Unknown { message: clean(&wire::explain(&error)) })?;
        let json: Option<Value> = serde_json::from_slice(&body).ok().filter(|_| !cut);
        match (http, json) {
            (200..300, Some(json)) => Ok(json),
            (200..300, None) => Err(CallError::Unknown { message: format!("HTTP {http} without JSON") }),
            (400..600, json) => Err(refusal(http, &json.unwrap_or(Value::Null), wait_ms(&headers), clean)),
            _ => Err(CallError::Unknown { message: format!("unexpected HTTP {http}") }),
        }
    }
}

fn refusal(http: u16, json: &Value, retry_after_ms: Option<i64>, clean: impl Fn(&str) -> String) -> CallError {
    let error = MetaError::read(json);
    let class = error.class(http);
    let message = clean(&error.message(http));
    if class == ErrorClass::Server {
        return CallError::Unknown { message };
    }
    CallError::Refused { class, code: error.code, subcode: error.subcode, http, message, retry_after_ms }
}

/// Encodes ids as path segments, so that slashes and dots in a configured id cannot change the
/// path.
fn url_below(base: &Url, path: &[&str], query: &[(&str, &str)]) -> Url {
    let mut url = base.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.extend(path);
    }
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    url
}

/// Reads `{"success": …}`.
pub(super) fn success(answer: &Value) -> Result<(), CallError> {
    match answer.get("success") {
        Some(Value::Bool(false)) => Err(CallError::Unknown { message: String::from("Meta reported failure") }),
        _ => Ok(()),
    }
}

pub(super) fn text(value: &Value, key: &str) -> Option<String> {
    match value.get(key)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
