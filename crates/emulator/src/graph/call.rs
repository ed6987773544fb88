//! A parsed Graph call: version, path, token and body.

use axum::http::{
    HeaderName, Method, Uri,
    header::{AUTHORIZATION, CONTENT_TYPE, HOST},
    request::Parts,
};
use bytes::Bytes;
use serde_json::Value;
use url::form_urlencoded;

pub(crate) const DEFAULT_VERSION: &str = "v25.0";

#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) method: Method,
    /// Version of the path, or the default.
    pub(crate) version: String,
    pub(crate) path: String,
    /// Path without version: `[id, edge, …]`.
    pub(crate) segments: Vec<String>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) content_type: String,
    /// True if a header asks for another method than the request's.
    pub(crate) overrides_method: bool,
    /// Base URL from the `Host` header, for URLs in answers.
    pub(crate) base: String,
    pub(crate) token: Option<String>,
    /// `None` if the body is not JSON.
    pub(crate) body: Option<Value>,
    pub(crate) bytes: Bytes,
}

impl Call {
    pub(crate) fn new(parts: &Parts, bytes: Bytes) -> Self {
        let path = parts.uri.path().to_owned();
        let mut segments: Vec<String> = path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect();
        let version = match segments.first() {
            Some(first) if is_version(first) => segments.remove(0),
            _ => DEFAULT_VERSION.to_owned(),
        };
        Self {
            method: parts.method.clone(),
            version,
            path,
            segments,
            query: form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()).into_owned().collect(),
            content_type: header(parts, CONTENT_TYPE).to_owned(),
            overrides_method: parts.headers.contains_key("x-http-method-override"),
            base: format!("http://{}", header(parts, HOST)),
            token: bearer(parts).or_else(|| query_token(&parts.uri)),
            body: serde_json::from_slice(&bytes).ok(),
            bytes,
        }
    }

    /// Body for the request log.
    pub(crate) fn logged_body(&self) -> Value {
        match &self.body {
            Some(body) => body.clone(),
            None if self.content_type.starts_with("multipart/") => {
                Value::String(format!("{} bytes of a form", self.bytes.len()))
            }
            None if self.bytes.is_empty() => Value::Null,
            None => Value::String(String::from_utf8_lossy(&self.bytes).into_owned()),
        }
    }

    pub(crate) fn text(&self, field: &str) -> Option<&str> {
        self.body.as_ref()?.get(field)?.as_str()
    }

    /// Finds a parameter in the body or in the query; the API accepts both.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        let in_query = || self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        self.text(name).or_else(in_query)
    }

    /// First-level names in `fields=a,b{c}`; `None` for the default set.
    pub(crate) fn fields(&self) -> Option<Vec<&str>> {
        let asked = self.query.iter().find(|(key, _)| key == "fields")?;
        let mut depth = 0;
        let names = asked.1.split(|c| {
            depth += i32::from(matches!(c, '{' | '(')) - i32::from(matches!(c, '}' | ')'));
            c == ',' && depth == 0
        });
        Some(names.map(|name| name.split(['{', '.', '(']).next().unwrap_or_default().trim()).collect())
    }

    /// Keeps the requested fields of `node`; `id` is always included.
    pub(crate) fn select_fields(&self, node: Value) -> Value {
        let (Some(fields), Value::Object(node)) = (self.fields(), &node) else { return node };
        let kept = node.iter().filter(|(name, _)| *name == "id" || fields.contains(&name.as_str()));
        Value::Object(kept.map(|(name, value)| (name.clone(), value.clone())).collect())
    }
}

fn is_version(segment: &str) -> bool {
    let number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let parts = segment.strip_prefix('v').and_then(|rest| rest.split_once('.'));
    parts.is_some_and(|(major, minor)| number(major) && number(minor))
}

fn header(parts: &Parts, name: HeaderName) -> &str {
    parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn bearer(parts: &Parts) -> Option<String> {
    let header = parts.headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
}

fn query_token(uri: &Uri) -> Option<String> {
    let mut pairs = form_urlencoded::parse(uri.query()?.as_bytes());
    pairs.find(|(key, _)| key == "access_token").map(|(_, token)| token.into_owned())
}
