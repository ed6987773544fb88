//! Waits that providers ask for besides `Retry-After`: in other headers, and in the text or the
//! details of the body.

use jiff::{SignedDuration, Timestamp, fmt::rfc2822};
use reqwest::header::{DATE, HeaderMap};
use serde_json::Value;

/// Longest wait that is read.
const LONGEST: i64 = 86_400_000;

/// Times at which a limit is free again. OpenAI and Groq: a length (`1s`, `6m0s`, `7.66s`), with
/// what is left in another header (https://platform.openai.com/docs/guides/rate-limits,
/// https://console.groq.com/docs/rate-limits). Anthropic: a time
/// (https://docs.anthropic.com/en/api/rate-limits). OpenRouter: milliseconds since 1970
/// (https://openrouter.ai/docs/api-reference/limits).
pub(super) fn of_headers(headers: &HeaderMap) -> Option<i64> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let now = text(DATE.as_str()).and_then(|date| rfc2822::DateTimeParser::new().parse_timestamp(date).ok());
    let mut longest = None;
    for kind in ["requests", "tokens", "input-tokens", "output-tokens"] {
        for (left, reset) in [
            (format!("x-ratelimit-remaining-{kind}"), format!("x-ratelimit-reset-{kind}")),
            (format!("anthropic-ratelimit-{kind}-remaining"), format!("anthropic-ratelimit-{kind}-reset")),
        ] {
            if text(&left).is_some_and(|left| left == "0") {
                longest = longest.max(text(&reset).and_then(|reset| length(reset).or_else(|| until(reset, now))));
            }
        }
    }
    longest.or_else(|| {
        let reset = text("x-ratelimit-reset")?.parse::<i64>().ok()?;
        Some((reset - now?.as_millisecond()).clamp(0, LONGEST)).filter(|_| reset > 1_000_000_000_000)
    })
}

fn until(time: &str, now: Option<Timestamp>) -> Option<i64> {
    let time: Timestamp = time.parse().ok()?;
    Some((time.as_millisecond() - now?.as_millisecond()).clamp(0, LONGEST))
}

/// Gemini: `retryDelay` of a `RetryInfo` (https://ai.google.dev/gemini-api/docs/troubleshooting).
/// OpenAI and Groq: "Please try again in 6m0s." Azure: "Please retry after 24 seconds."
pub(super) fn of_body(details: &str) -> Option<i64> {
    if let Ok(body) = serde_json::from_str::<Value>(details) {
        let body = if let Value::Array(mut list) = body { list.pop().unwrap_or_default() } else { body };
        let delay = body.pointer("/error/details").and_then(Value::as_array).into_iter().flatten();
        if let Some(wait) = delay.filter_map(|detail| length(detail.get("retryDelay")?.as_str()?)).next() {
            return Some(wait);
        }
    }
    let lower = details.to_lowercase();
    for words in ["try again in ", "retry after ", "retry in ", "wait "] {
        let Some((_, rest)) = lower.split_once(words) else { continue };
        let rest = rest.trim_start();
        let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '"' | ',' | '!' | '\\')).unwrap_or(rest.len());
        let word = rest[..end].trim_end_matches('.');
        if let Some(wait) = length(word) {
            return Some(wait);
        }
        let unit = match rest[end..].trim_start() {
            unit if unit.starts_with("ms") || unit.starts_with("milli") => 1.0,
            unit if unit.starts_with("sec") || unit.starts_with("s.") => 1_000.0,
            unit if unit.starts_with("min") => 60_000.0,
            unit if unit.starts_with("hour") => 3_600_000.0,
            _ => continue,
        };
        if let Ok(number) = word.parse::<f64>() {
            return bounded(number * unit);
        }
    }
    None
}

/// Reads `7.66s`, `120ms`, `6m0s`, `1h2m3.5s`, or seconds.
fn length(text: &str) -> Option<i64> {
    if let Ok(seconds) = text.parse::<f64>() {
        return bounded(seconds * 1_000.0).filter(|_| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'));
    }
    let text = text.strip_suffix("ms").map_or_else(|| text.to_owned(), |rest| format!("{rest}millis"));
    let length: SignedDuration = text.parse().ok().or_else(|| {
        let seconds = text.strip_suffix('s')?.parse::<f64>().ok()?;
        SignedDuration::try_from_secs_f64(seconds).ok()
    })?;
    Some(i64::try_from(length.as_millis()).ok()?.clamp(0, LONGEST))
}

fn bounded(millis: f64) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "between 0 and a day")]
    (millis.is_finite() && millis >= 0.0).then(|| millis.min(LONGEST as f64).ceil() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_read_in_any_documented_form() {
        for (text, millis) in [
            ("7.66s", 7_660),
            ("120ms", 120),
            ("6m0s", 360_000),
            ("1h2m3.5s", 3_723_500),
            ("20", 20_000),
            ("2m59.56s", 179_560),
        ] {
            assert_eq!(length(text), Some(millis), "{text}");
        }
        for (body, millis) in [
            (r#"{"error":{"message":"Rate limit reached for gpt-4o. Please try again in 20s. Visit"}}"#, Some(20_000)),
            (r#"{"error":{"message":"Please try again in 7m12.3s."}}"#, Some(432_300)),
            (r#"{"error":{"code":"429","message":"Please retry after 24 seconds."}}"#, Some(24_000)),
            (r#"{"error":{"details":[{"@type":"QuotaFailure"},{"retryDelay":"37s"}]}}"#, Some(37_000)),
            (r#"[{"error":{"details":[{"retryDelay":"1.5s"}]}}]"#, Some(1_500)),
            (r#"{"error":{"message":"slow down"}}"#, None),
        ] {
            assert_eq!(of_body(body), millis, "{body}");
        }
    }

    #[test]
    fn reset_of_a_used_up_limit_is_a_wait() {
        let headers = |pairs: &[(&'static str, &'static str)]| {
            let mut map = HeaderMap::new();
            for (name, value) in pairs {
                map.insert(*name, value.parse().unwrap());
            }
            of_headers(&map)
        };
        let date = ("date", "Wed, 21 Oct 2026 07:28:00 GMT");
        let used = ("x-ratelimit-remaining-tokens", "0");
        assert_eq!(headers(&[used, ("x-ratelimit-reset-tokens", "6m0s")]), Some(360_000));
        assert_eq!(headers(&[("x-ratelimit-reset-tokens", "6m0s")]), None);
        let (left, reset) = ("anthropic-ratelimit-requests-remaining", "anthropic-ratelimit-requests-reset");
        assert_eq!(headers(&[date, (left, "0"), (reset, "2026-10-21T07:28:30Z")]), Some(30_000));
        assert_eq!(headers(&[date, ("x-ratelimit-reset", "1792567700000")]), Some(20_000));
    }
}
