//! One request over HTTP: its answer, or its refusal with everything that the table needs.

use super::{
    ModelClient, failure,
    refusal::{ANSWER_BYTES, Refusal, too_long, unread},
    stream::{self, Broken, Fold},
};
use crate::{parsing::off_worker, wire};
use domain::{
    chat::{ModelFailure, ModelResponse},
    json::{self, Refused},
    limits::MODEL_VALUES,
};
use reqwest::{
    Method, Response,
    header::{CONTENT_TYPE, HeaderMap, HeaderValue},
};
use serde_json::Value;
use std::time::{Duration, Instant};

/// Longest part of a failed response that is classified.
const ERROR_BYTES: usize = 64 << 10;

pub(super) struct Exchange<'a> {
    pub client: &'a ModelClient,
    pub url: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    pub timeout: Duration,
    /// Removed from messages: providers repeat it ("incorrect key: sk-…").
    pub key: Option<&'a str>,
}

/// The parts of a protocol that read answers.
pub(super) struct Protocol {
    /// The message in the body of a failed request.
    pub error_text: fn(&[u8]) -> String,
    pub read: fn(&Value) -> Result<ModelResponse, Refusal>,
    pub fold: fn() -> Box<dyn Fold>,
}

impl Exchange<'_> {
    /// Sends the request once and reads the answer: streamed, or as a whole where the server answers
    /// so.
    pub(super) async fn send(self, protocol: &Protocol) -> Result<Result<ModelResponse, Refusal>, ModelFailure> {
        let key = self.key;
        let post = self
            .client
            .request(Method::POST, &self.url)?
            .timeout(self.timeout)
            .headers(self.headers)
            .header(CONTENT_TYPE, "application/json")
            .body(self.body);
        let began = Instant::now();
        let mut response = post.send().await.map_err(|error| no_answer(&error, key))?;
        let status = response.status();
        let wait_ms = wire::retry_after_ms(response.headers()).or_else(|| super::waits::of_headers(response.headers()));
        let read = if status.is_success() && stream::is_stream(response.headers()) {
            streamed(response, protocol, began, key).await?
        } else {
            let body = wire::read_capped(&mut response, ANSWER_BYTES).await;
            let (body, truncated) = body.map_err(|error| no_answer(&error, key))?;
            if !status.is_success() {
                let message = format!("HTTP {}: {}", status.as_u16(), (protocol.error_text)(&body));
                let details = String::from_utf8_lossy(&body[..body.len().min(ERROR_BYTES)]).into_owned();
                Err(Refusal { status: status.as_u16(), message, details, wait_ms })
            } else if truncated {
                return Err(too_long());
            } else {
                let read = protocol.read;
                let whole = move |body: &[u8]| match json::parse(body, MODEL_VALUES) {
                    Ok(answer) => read(&answer),
                    Err(Refused::Malformed(_)) if stream::looks_like_one(body) => {
                        Err(stream::unreadable("the model's stream has another type of content"))
                    }
                    Err(why) => Err(unread(&why)),
                };
                off_worker(body, whole).await.ok_or_else(unreadable)?
            }
        };
        Ok(read.map_err(|refusal| Refusal {
            message: wire::presentable(&refusal.message, key),
            wait_ms: refusal.wait_ms.or(wait_ms),
            ..refusal
        }))
    }
}

async fn streamed(
    response: Response,
    protocol: &Protocol,
    began: Instant,
    key: Option<&str>,
) -> Result<Result<ModelResponse, Refusal>, ModelFailure> {
    let explain = |error: &reqwest::Error| no_answer(error, key).message;
    let streamed = match stream::read(response.bytes_stream(), (protocol.fold)(), began, explain).await {
        Ok(streamed) => streamed,
        Err(Broken::Refused(refusal)) => return Ok(Err(refusal)),
        Err(Broken::Failed(failure)) => return Err(failure),
    };
    let first_token_ms = streamed.first_token.and_then(|time| u64::try_from(time.as_millis()).ok());
    Ok((protocol.read)(&streamed.answer).map(|response| ModelResponse { first_token_ms, ..response }))
}

fn unreadable() -> ModelFailure {
    failure::permanent("the model's answer cannot be read")
}

/// A request for a list, which has no body.
pub(super) struct Listing<'a> {
    pub client: &'a ModelClient,
    pub url: String,
    pub headers: HeaderMap,
    pub key: Option<&'a str>,
}

impl Listing<'_> {
    /// Asks once. More than `most` bytes are a failure.
    pub(super) async fn send(
        self,
        timeout: Duration,
        most: usize,
        error_text: fn(&[u8]) -> String,
    ) -> Result<Vec<u8>, ModelFailure> {
        let get = self.client.request(Method::GET, &self.url)?.timeout(timeout).headers(self.headers);
        let mut response = get.send().await.map_err(|error| no_answer(&error, self.key))?;
        let status = response.status();
        let read = wire::read_capped(&mut response, most).await;
        let (body, truncated) = read.map_err(|error| no_answer(&error, self.key))?;
        if !status.is_success() {
            let message = format!("HTTP {}: {}", status.as_u16(), error_text(&body));
            return Err(failure::permanent(wire::presentable(&message, self.key)));
        }
        if truncated {
            return Err(failure::permanent("the list of models is too long"));
        }
        Ok(body)
    }
}

fn no_answer(error: &reqwest::Error, key: Option<&str>) -> ModelFailure {
    // A builder error (an invalid base URL) fails the same way each time.
    if error.is_builder() {
        return failure::permanent("the model's base URL or key cannot be used");
    }
    let failure = failure::for_connection(error);
    ModelFailure { message: wire::presentable(&failure.message, key), ..failure }
}

/// The same id on every attempt of a request.
pub(super) fn tracing_headers(trace_id: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_str(trace_id)
        && !value.is_empty()
    {
        headers.insert("idempotency-key", value.clone());
        headers.insert("x-client-request-id", value);
    }
    headers
}

/// A header with a credential, if it can be one.
pub(super) fn secret_header(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}
