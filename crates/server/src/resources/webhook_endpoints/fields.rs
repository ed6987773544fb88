//! Fields of a webhook endpoint in request bodies, their checks, and what they change.

use crate::{
    ApiError, AppState,
    api::{Problems, three_state, words},
};
use domain::{
    hook::{HookEvent, PayloadVersion},
    ids::ProjectId,
};
use runtime::hooks::Credentials;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use store::{Result, Tx, hook_endpoints::HookEndpointRow};
use url::Url;
use utoipa::ToSchema;

/// Most endpoints of a number, and of a project itself.
pub(in crate::resources) const MOST: usize = 50;
const MAX_HEADERS: usize = 32;
const MAX_HEADER_BYTES: usize = 4_096;
/// Set by us, or by the HTTP library.
const RESERVED: [&str; 12] = [
    "host",
    "content-type",
    "content-length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "accept-encoding",
    "x-idempotency-key",
];

words!(WebhookPayloadVersion = "v1", "v2");

/// Settings that every endpoint has. Omitted ones keep their value, or get the default.
#[derive(Deserialize, ToSchema, Default)]
pub(in crate::resources) struct WebhookOptions {
    /// Default: true. False stops deliveries, and no further ones are written.
    #[schema(nullable = false, default = true)]
    active: Option<bool>,
    /// Extra headers on each delivery; null removes them. At most 32 with 4 KiB. Stored encrypted.
    #[serde(default, deserialize_with = "three_state::read")]
    #[schema(value_type = Option<BTreeMap<String, String>>)]
    headers: Option<Option<BTreeMap<String, String>>>,
    /// Collects received messages of a conversation in batches. Default: false. Needs payload
    /// version 2.
    #[schema(nullable = false, default = false)]
    buffer_enabled: Option<bool>,
    /// Time from the first message of a batch until it is sent. Default, also with null: 5.
    #[serde(default, deserialize_with = "three_state::read")]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 60, default = 5)]
    buffer_window_seconds: Option<Option<i64>>,
    /// Messages after which a batch is sent at once. Default, also with null: 50.
    #[serde(default, deserialize_with = "three_state::read")]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 100, default = 50)]
    max_buffer_size: Option<Option<i64>>,
    /// Only `whatsapp.message.received` can be buffered, which is the default.
    #[schema(nullable = false, default = json!(["whatsapp.message.received"]))]
    buffer_events: Option<Vec<String>>,
    /// Silence before `whatsapp.conversation.inactive`. Default: 60.
    #[schema(minimum = 1, maximum = 1440, nullable = false, default = 60)]
    inactivity_minutes: Option<i64>,
    /// Form of message and conversation events. Default: `v2`.
    #[schema(value_type = Option<WebhookPayloadVersion>, nullable = false)]
    payload_version: Option<String>,
}

/// New values of the fields that a new endpoint must have.
#[derive(Debug, Default)]
pub(in crate::resources) struct Required<'a> {
    pub url: Option<&'a str>,
    pub events: Option<&'a [String]>,
}

/// Reports problems of an endpoint that no schema can describe. `at` is the wrapper's pointer.
pub(in crate::resources) fn check(body: &Value, at: &str, problems: &mut Problems) {
    let Some(fields) = body.pointer(at) else { return };
    if let Some(url) = fields["url"].as_str()
        && let Err(why) = check_url(url)
    {
        problems.add(format!("{at}/url"), "invalid_url", why);
    }
    if let Some(headers) = fields["headers"].as_object()
        && let Err((code, why)) = check_headers(headers)
    {
        problems.add(format!("{at}/headers"), code, why);
    }
    let buffered = fields["buffer_events"].as_array().into_iter().flatten();
    if buffered.filter_map(Value::as_str).any(|name| name != HookEvent::MessageReceived.as_str()) {
        problems.add(format!("{at}/buffer_events"), "not_buffered", "only whatsapp.message.received can be buffered");
    }
}

fn check_url(text: &str) -> std::result::Result<(), &'static str> {
    let url = Url::parse(text).map_err(|_| "must be an absolute URL")?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("must be an http or https URL");
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err("must have a host");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not hold a user or password; use a header");
    }
    Ok(())
}

fn check_headers(headers: &serde_json::Map<String, Value>) -> std::result::Result<(), (&'static str, String)> {
    let value = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let bytes: usize = headers.iter().map(|(name, of)| name.len() + value(of).len()).sum();
    if headers.len() > MAX_HEADERS || bytes > MAX_HEADER_BYTES {
        return Err(("too_large", format!("at most {MAX_HEADERS} headers with {MAX_HEADER_BYTES} bytes")));
    }
    for (name, of) in headers {
        let lower = name.to_ascii_lowercase();
        let ours = lower.starts_with("webhook-") || lower.starts_with("x-webhook-") || lower.starts_with("proxy-");
        if ours || RESERVED.contains(&lower.as_str()) {
            return Err(("reserved_header", format!("{name} is set by the server")));
        }
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        let is_value = value(of).bytes().all(|byte| byte == b'\t' || (32..127).contains(&byte));
        if name.is_empty() || !name.bytes().all(token) || !is_value {
            return Err(("invalid_header", format!("{name:?} is no header with a value of visible ASCII")));
        }
    }
    Ok(())
}

impl WebhookOptions {
    /// Applies new values to a row, without key and headers.
    pub(in crate::resources) fn apply(&self, required: &Required<'_>, row: &mut HookEndpointRow) {
        if let Some(url) = required.url {
            url.clone_into(&mut row.url);
        }
        if let Some(events) = required.events {
            row.events = json!(events.iter().collect::<BTreeSet<_>>()).to_string();
        }
        if let Some(events) = &self.buffer_events {
            row.buffer_events = json!(events.iter().collect::<BTreeSet<_>>()).to_string();
        }
        row.active = self.active.unwrap_or(row.active);
        row.buffer_enabled = self.buffer_enabled.unwrap_or(row.buffer_enabled);
        if let Some(seconds) = self.buffer_window_seconds {
            row.buffer_window_seconds = seconds.unwrap_or(5);
        }
        if let Some(size) = self.max_buffer_size {
            row.max_buffer_size = size.unwrap_or(50);
        }
        row.inactivity_minutes = self.inactivity_minutes.unwrap_or(row.inactivity_minutes);
        if let Some(version) = self.payload_version.as_deref().and_then(|version| version.parse().ok()) {
            row.payload_version = version;
        }
    }

    /// Seals a new key and new headers, and notes in the row how to recognise them.
    pub(in crate::resources) async fn seal(
        &self,
        ctx: &AppState,
        tx: &mut Tx<'_>,
        project: ProjectId,
        key: Option<&str>,
        row: &mut HookEndpointRow,
    ) -> Result<()> {
        let (Some(id), true) = (row.secret_id, key.is_some() || self.headers.is_some()) else { return Ok(()) };
        // A new endpoint has none yet.
        let mut credentials = match row.secret_hint.as_str() {
            "" => Credentials::default(),
            _ => Credentials::of(ctx, tx, project, row).await?,
        };
        if let Some(key) = key {
            (credentials.key, credentials.previous) = (key.to_owned(), None);
        }
        if let Some(headers) = &self.headers {
            credentials.headers = headers.clone().unwrap_or_default().into_iter().collect();
        }
        note(&credentials, row);
        credentials.put(ctx, tx, project, id).await
    }
}

/// Notes the end of the key and the names of the headers, which answers may show.
pub(in crate::resources) fn note(credentials: &Credentials, row: &mut HookEndpointRow) {
    row.secret_hint = hint(&credentials.key);
    row.header_names = json!(credentials.headers.iter().map(|(name, _)| name).collect::<Vec<_>>()).to_string();
}

/// The last four characters of a long key; stars stand for the rest.
fn hint(key: &str) -> String {
    let chars: Vec<char> = key.chars().collect();
    let shown = if chars.len() >= 12 { &chars[chars.len() - 4..] } else { &[] };
    format!("****{}", shown.iter().collect::<String>())
}

/// An endpoint with all defaults.
pub(in crate::resources) fn new_row(ctx: &AppState, project: ProjectId) -> HookEndpointRow {
    let now = ctx.now();
    HookEndpointRow {
        id: ctx.new_id(),
        scope_id: project.uuid(),
        whatsapp_config_id: None,
        origin: domain::hook::EndpointOrigin::Project,
        url: String::new(),
        events: "[]".into(),
        buffer_events: json!([HookEvent::MessageReceived.as_str()]).to_string(),
        active: true,
        payload_version: PayloadVersion::V2,
        buffer_enabled: false,
        buffer_window_seconds: 5,
        max_buffer_size: 50,
        inactivity_minutes: 60,
        ordered: false,
        secret_id: Some(ctx.new_id()),
        secret_hint: String::new(),
        header_names: "[]".into(),
        failing_since: None,
        paused_at: None,
        created_at: now,
        updated_at: now,
    }
}

/// Conflict: an owner has as many endpoints as it may have.
pub(in crate::resources) fn too_many() -> ApiError {
    let why = format!("there are {MOST} endpoints already; delete one first");
    ApiError::conflict("too_many_endpoints", "Too many webhook endpoints", why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn end_of_a_long_key_is_shown_and_a_short_key_is_hidden() {
        assert_eq!(hint("s3cr3t-value"), "****alue");
        assert_eq!(hint("short"), "****");
    }

    #[test]
    fn headers_of_the_server_are_refused() {
        let code =
            |name: &str, value: &str| check_headers(json!({name: value}).as_object().unwrap()).err().map(|e| e.0);
        assert_eq!(code("Authorization", "Bearer x"), None);
        for name in ["Webhook-Id", "X-Webhook-Signature", "host", "Content-Length", "X-Idempotency-Key"] {
            assert_eq!(code(name, "x"), Some("reserved_header"), "{name}");
        }
        assert_eq!(code("a b", "x"), Some("invalid_header"));
        assert_eq!(code("a", "x\r\ny: z"), Some("invalid_header"));
        assert_eq!(code("a", &"x".repeat(5_000)), Some("too_large"));
    }

    #[test]
    fn url_without_host_or_with_a_password_is_refused() {
        assert!(check_url("https://hooks.clinic.example/wa").is_ok());
        for bad in ["hooks", "ftp://a.example", "https://u:p@a.example", "file:///etc/passwd"] {
            assert!(check_url(bad).is_err(), "{bad}");
        }
    }
}
