//! Requests with a JSON response. Errors name the request and the reason in the response.

use std::{fmt, time::Duration};

use anyhow::{Context as _, Result, bail};
use reqwest::{Client, RequestBuilder, Url, header};
use serde_json::Value;

const TIMEOUT: Duration = Duration::from_secs(15);
/// Retries after a rate limit.
const MAX_RATE_LIMIT_WAITS: usize = 3;

/// Error response of the other side.
#[derive(Debug)]
pub struct Refused {
    pub status: u16,
    request: String,
    reason: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} answered {}: {}", self.request, self.status, self.reason)
    }
}

impl std::error::Error for Refused {}

/// Builds a client without a proxy, because the servers run on this machine.
pub fn client() -> Result<Client> {
    client_with(None)
}

/// A client that sends a bearer token.
pub fn client_with(token: Option<&str>) -> Result<Client> {
    let mut headers = header::HeaderMap::new();
    if let Some(token) = token {
        let mut value = header::HeaderValue::try_from(format!("Bearer {token}")).context("the token is not ASCII")?;
        value.set_sensitive(true);
        headers.insert(header::AUTHORIZATION, value);
    }
    let builder = Client::builder().no_proxy().default_headers(headers).connect_timeout(Duration::from_secs(5));
    let client = builder.build();
    client.context("cannot build an HTTP client")
}

/// Parses a base URL, without a trailing slash.
pub fn base(url: &str) -> Result<Url> {
    let parsed = Url::parse(url.trim_end_matches('/')).with_context(|| format!("'{url}' is not a URL"))?;
    if !matches!(parsed.scheme(), "http" | "https") {
        bail!("'{url}' must begin with http:// or https://");
    }
    Ok(parsed)
}

/// Appends path segments to a URL; each is escaped.
pub fn below(base: &Url, parts: &[&str]) -> Result<Url> {
    let mut url = base.clone();
    url.path_segments_mut().map_err(|()| anyhow::anyhow!("{base} cannot have a path"))?.pop_if_empty().extend(parts);
    Ok(url)
}

/// Sends a request and reads the JSON response. Waits if the rate limit is reached.
pub async fn answer(request: RequestBuilder) -> Result<Value> {
    for _ in 0..MAX_RATE_LIMIT_WAITS {
        let again = request.try_clone().context("the request cannot be sent twice")?;
        match attempt(again).await? {
            Answer::Json(value) => return Ok(value),
            Answer::Later(pause) => tokio::time::sleep(pause).await,
        }
    }
    match attempt(request).await? {
        Answer::Json(value) => Ok(value),
        Answer::Later(_) => bail!("the server's rate limit is still exhausted; try again later"),
    }
}

enum Answer {
    Json(Value),
    Later(Duration),
}

async fn attempt(request: RequestBuilder) -> Result<Answer> {
    let (client, request) = request.timeout(TIMEOUT).build_split();
    let request = request.context("cannot build the request")?;
    let shown = format!("{} {}", request.method(), request.url());
    let response = client.execute(request).await.map_err(reqwest::Error::without_url).with_context(|| shown.clone())?;
    let status = response.status();
    if status.as_u16() == 429 {
        let seconds = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        return Ok(Answer::Later(Duration::from_secs(seconds.unwrap_or(1).clamp(1, 60))));
    }
    let bytes = response.bytes().await.map_err(reqwest::Error::without_url).with_context(|| shown.clone())?;
    let body: Value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    if !status.is_success() {
        return Err(Refused { status: status.as_u16(), request: shown, reason: reason(&body) }.into());
    }
    Ok(Answer::Json(body))
}

/// Reason in an error response: `error` and `message` from the API, `{"error": {"message"}}` from
/// the emulator.
fn reason(body: &Value) -> String {
    let text = |pointer| body.pointer(pointer).and_then(Value::as_str);
    match (text("/error"), text("/message").or(text("/error/message"))) {
        (Some(error), Some(message)) if error != message => format!("{error} ({message})"),
        (Some(reason), _) | (None, Some(reason)) => reason.to_owned(),
        (None, None) => "no reason given".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn path_segments_are_escaped() {
        let base = base("http://127.0.0.1:4100/").unwrap();
        assert_eq!(below(&base, &["chats", "+55 1/1"]).unwrap().as_str(), "http://127.0.0.1:4100/chats/+55%201%2F1");
        assert!(super::base("127.0.0.1:4100").is_err() && super::base("ftp://x").is_err());
    }

    #[test]
    fn both_error_shapes_are_parsed() {
        assert_eq!(
            reason(&json!({"error": "Validation failed", "message": "can't be blank"})),
            "Validation failed (can't be blank)"
        );
        assert_eq!(reason(&json!({"error": {"code": "not_found", "message": "user not found"}})), "user not found");
        assert_eq!(reason(&Value::Null), "no reason given");
    }
}
