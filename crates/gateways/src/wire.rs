//! Settings and helpers of all HTTP clients.
//!
//! No proxy from the environment, no redirects, no hidden retries: only this crate decides where a
//! credential goes and how often a request is sent.

use jiff::{Timestamp, fmt::rfc2822};
use reqwest::{
    ClientBuilder, Response,
    header::{DATE, HeaderMap, RETRY_AFTER},
};
use std::error::Error;

/// Longest error message from outside that is kept, in characters.
const MESSAGE_CHARS: usize = 300;
/// Shorter keys are placeholders of local servers (`x`, `none`, `EMPTY`), and replacing them would
/// garble the message. Bytes.
const SHORTEST_KEY: usize = 8;

/// The settings of a client are invalid.
#[derive(Debug, thiserror::Error)]
#[error("cannot prepare an HTTP client: {0}")]
pub struct ClientError(pub(crate) String);

impl From<reqwest::Error> for ClientError {
    fn from(error: reqwest::Error) -> Self {
        Self(explain(&error))
    }
}

pub(crate) fn builder() -> ClientBuilder {
    crate::tls::install();
    reqwest::Client::builder()
        .tls_backend_preconfigured(crate::tls::config())
        .user_agent(concat!("chasqui/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .http1_only()
}

/// Reads at most `cap` bytes of the decompressed body; the flag is true if there was more.
pub(crate) async fn read_capped(response: &mut Response, cap: usize) -> Result<(Vec<u8>, bool), reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        let room = cap - body.len();
        if chunk.len() > room {
            body.extend_from_slice(&chunk[..room]);
            return Ok((body, true));
        }
        body.extend_from_slice(&chunk);
    }
    Ok((body, false))
}

/// Reads `Retry-After`, or the finer `retry-after-ms` of some servers. A date is compared with the
/// response's own `Date`, not with the local clock.
pub(crate) fn retry_after_ms(headers: &HeaderMap) -> Option<i64> {
    if let Some(millis) =
        headers.get("retry-after-ms").and_then(|value| value.to_str().ok()?.trim().parse::<f64>().ok())
        && millis.is_finite()
        && millis >= 0.0
    {
        return Some(millis.min(86_400_000.0) as i64);
    }
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return (seconds.is_finite() && seconds >= 0.0).then(|| (seconds * 1_000.0).min(86_400_000.0) as i64);
    }
    let wait = http_date(text)?.as_millisecond() - http_date(headers.get(DATE)?.to_str().ok()?)?.as_millisecond();
    Some(wait.clamp(0, 86_400_000))
}

fn http_date(text: &str) -> Option<Timestamp> {
    rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
}

/// The error with its causes, without the URL: paths and queries may hold secrets.
pub(crate) fn explain(error: &reqwest::Error) -> String {
    let mut text = if error.is_timeout() { String::from("timed out") } else { String::new() };
    let mut cause = error.source();
    while let Some(error) = cause {
        let part = error.to_string();
        if !text.contains(&part) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&part);
        }
        cause = error.source();
    }
    if text.is_empty() { String::from("the request failed") } else { shorten(&text) }
}

/// True if the error comes from TLS: a bad certificate, an old version, no TLS at all.
pub(crate) fn is_tls(error: &reqwest::Error) -> bool {
    let mut cause: Option<&(dyn Error + 'static)> = error.source();
    while let Some(error) = cause {
        if error.is::<rustls::Error>() {
            return true;
        }
        // An I/O error does not return the error that it wraps as its source. They may be nested.
        cause = match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        };
    }
    false
}

/// An outside message on one short line, without the secret.
pub(crate) fn presentable(text: &str, secret: Option<&str>) -> String {
    match secret.filter(|secret| secret.len() >= SHORTEST_KEY) {
        Some(secret) => shorten(&text.replace(secret, "[redacted]")),
        None => shorten(text),
    }
}

fn shorten(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MESSAGE_CHARS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for &(name, value) in pairs {
            map.insert(name, value.parse().unwrap());
        }
        map
    }

    #[test]
    fn retry_after_accepts_seconds_and_dates() {
        let date = ("date", "Wed, 21 Oct 2026 07:28:00 GMT");
        for (pairs, expected) in [
            (vec![("retry-after", "7")], Some(7_000)),
            (vec![("retry-after", "0.5")], Some(500)),
            (vec![date, ("retry-after", "Wed, 21 Oct 2026 07:28:30 GMT")], Some(30_000)),
            (vec![date, ("retry-after", "Wed, 21 Oct 2026 07:27:00 GMT")], Some(0)),
            (vec![("retry-after", "Wed, 21 Oct 2026 07:28:30 GMT")], None),
            (vec![("retry-after", "9"), ("retry-after-ms", "350")], Some(350)),
            (vec![("retry-after", "9"), ("retry-after-ms", "soon")], Some(9_000)),
            (vec![("retry-after", "-3")], None),
            (vec![("retry-after", "soon")], None),
            (vec![("retry-after", "1e300")], Some(86_400_000)),
            (vec![], None),
        ] {
            assert_eq!(retry_after_ms(&headers(&pairs)), expected, "{pairs:?}");
        }
    }

    #[test]
    fn message_is_one_short_line_without_the_secret() {
        assert_eq!(presentable("bad key\n sk-12345 given", Some("sk-12345")), "bad key [redacted] given");
        assert_eq!(presentable("bad key EMPTY for x", Some("x")), "bad key EMPTY for x");
        assert_eq!(presentable("an EMPTY key", Some("EMPTY")), "an EMPTY key");
        assert_eq!(presentable(&"é".repeat(400), None).chars().count(), MESSAGE_CHARS + 1);
        assert_eq!(presentable("a b", Some("")), "a b");
    }
}
