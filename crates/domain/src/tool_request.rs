//! Requests of an agent's tools to webhooks and MCP servers, and their results.
//! The engine builds the request and the result that the model reads; `gateways::egress` performs
//! it.

use crate::{
    agent::{
        Room, Transport,
        variables::{self, Destination},
    },
    limits::REQUEST_BYTES,
    redaction::Redaction,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::{cell::RefCell, collections::BTreeMap, ops::Bound};

/// A request to a URL that a user configured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolRequest {
    /// `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
    pub method: String,
    /// Absolute http or https URL.
    pub url: String,
    /// In the order configured. Values hold no CR or LF.
    pub headers: Vec<(String, String)>,
    /// Sent as compact JSON, a string as it is; no body if absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub body: Option<Value>,
    /// Sent as `Idempotency-Key`, the same on every attempt (docs/spec/engine.md 2.10).
    pub idempotency_key: String,
    /// Set for an MCP server; `method` then only says whether a repetition is harmless.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub mcp: Option<McpAsk>,
}

/// A request to an MCP server (docs/spec/engine.md 4.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct McpAsk {
    pub transport: Transport,
    /// Name of the tool at the server, with the request's `body` as arguments. `None` requests the
    /// list of tools: the content of the answer is a list of [`McpTool`].
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tool: Option<String>,
}

/// A tool as an MCP server describes it. All of it is untrusted text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct McpTool {
    /// Name at the server.
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub description: Option<String>,
    /// JSON Schema of its arguments, an object.
    pub schema: Value,
}

/// Result of a [`ToolRequest`]. Every status code is an answer, not an error (docs/spec/engine.md
/// 4.1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum ToolAnswer {
    Answered {
        /// HTTP status.
        status: u16,
        /// JSON if it parses, else `{"text": …}`.
        content: Value,
        /// The body was longer than 1 MiB and was cut.
        #[serde(skip_serializing_if = "std::ops::Not::not", default)]
        truncated: bool,
    },
    Failed {
        /// A code of docs/spec/engine.md 4.1: `connect_timeout`, `read_timeout`, `write_timeout`,
        /// `connect_error`, `tls_error`, `blocked_address`, `too_many_redirects`, `bad_response`,
        /// `missing_url`.
        code: String,
        /// For the model and for people.
        message: String,
    },
}

/// Marks in place of secrets in a [`ToolRequest`]; they are replaced right before the request
/// leaves. So no prompt, state, journal, event or log can hold a secret.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretMarks(BTreeMap<String, String>);

/// Begins every mark, and is hardly ever in a request.
const BEGINNING: &str = "s3cr3t";

impl SecretMarks {
    /// Marks for these names, derived from `seed`. `taken` is the request without secrets: no mark
    /// occurs in it, so neither model nor contact can forge one.
    pub fn new(names: impl IntoIterator<Item = String>, seed: &str, taken: &ToolRequest) -> Self {
        let mut marks = BTreeMap::new();
        // One look at a large request instead of one for each mark.
        let forged = taken.contains(BEGINNING);
        for (place, name) in names.into_iter().enumerate() {
            let mut mark = format!("{BEGINNING}{place}x{seed}");
            while forged && taken.contains(&mark) {
                mark.push('x');
            }
            marks.insert(mark, name);
        }
        Self(marks)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each once.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.values().map(String::as_str)
    }

    /// The marks by name, for `{{secrets.name}}`.
    pub fn as_context(&self) -> Value {
        self.0.iter().map(|(mark, name)| (name.clone(), Value::String(mark.clone()))).collect::<Map<_, _>>().into()
    }

    /// Replaces the marks, with the escaping of their places; an unknown name is replaced by
    /// nothing. `None` if the request would be larger than [`REQUEST_BYTES`].
    pub fn fill(&self, request: &ToolRequest, values: &BTreeMap<String, String>) -> Option<ToolRequest> {
        if self.is_empty() {
            return Some(request.clone());
        }
        let room = RefCell::new(Room::new(REQUEST_BYTES));
        let put = |text: &str, place| self.put(text, values, place, &mut room.borrow_mut());
        let header =
            |(name, value): &(String, String)| (put(name, Destination::Header), put(value, Destination::Header));
        let filled = ToolRequest {
            url: put(&request.url, Destination::Url),
            headers: request.headers.iter().map(header).collect(),
            body: request.body.clone().map(|body| each_text(body, &|text| put(&text, Destination::JsonString))),
            ..without_texts(request)
        };
        (!room.borrow().is_exceeded()).then_some(filled)
    }

    /// A text with its marks replaced in one pass, however many marks there are.
    fn put(&self, text: &str, values: &BTreeMap<String, String>, place: Destination, room: &mut Room) -> String {
        room.take(text.len());
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find(BEGINNING) {
            let (before, from) = rest.split_at(at);
            out.push_str(before);
            // No mark begins another one, so the last one in order is the only one that can begin here.
            let mark = self
                .0
                .range::<str, _>((Bound::Unbounded, Bound::Included(from)))
                .next_back()
                .filter(|(mark, _)| from.starts_with(mark.as_str()));
            let after = match mark {
                Some((mark, name)) => {
                    variables::put(&mut out, values.get(name).map_or("", String::as_str), place, room);
                    mark.len()
                }
                None => {
                    out.push_str(BEGINNING);
                    BEGINNING.len()
                }
            };
            rest = &from[after..];
        }
        out + rest
    }
}

impl ToolAnswer {
    /// Removes secrets that the other side returned, as they are and in common encodings.
    pub fn redacted(self, values: &BTreeMap<String, String>) -> Self {
        let redaction = Redaction::of(values.values());
        match self {
            Self::Failed { code, message } => Self::Failed { code, message: redaction.text(message) },
            Self::Answered { status, content, truncated } => {
                Self::Answered { status, content: redaction.value(content), truncated }
            }
        }
    }
}

impl ToolRequest {
    /// True if a text of the request has `part` in it.
    fn contains(&self, part: &str) -> bool {
        let mut found = self.url.contains(part)
            || self.headers.iter().any(|(name, value)| name.contains(part) || value.contains(part));
        if let Some(body) = self.body.as_ref().filter(|_| !found) {
            variables::each_string(body, &mut |text| found |= text.contains(part));
        }
        found
    }
}

/// The other fields of a request.
fn without_texts(request: &ToolRequest) -> ToolRequest {
    ToolRequest {
        method: request.method.clone(),
        url: String::new(),
        headers: Vec::new(),
        body: None,
        idempotency_key: request.idempotency_key.clone(),
        mcp: request.mcp.clone(),
    }
}

/// The value with every text, keys too, changed.
fn each_text(value: Value, change: &impl Fn(String) -> String) -> Value {
    match value {
        Value::String(text) => Value::String(change(text)),
        Value::Array(items) => items.into_iter().map(|item| each_text(item, change)).collect(),
        Value::Object(fields) => {
            fields.into_iter().map(|(name, item)| (change(name), each_text(item, change))).collect::<Map<_, _>>().into()
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn secret_fills_its_mark_only() {
        let guessed = ToolRequest { url: "https://shop.example/s3cr3t0xseed".into(), ..without_texts(&request()) };
        let marks = SecretMarks::new(["k".to_owned()], "seed", &guessed);
        let context = marks.as_context();
        let mark = context["k"].as_str().unwrap();
        assert_eq!(mark, "s3cr3t0xseedx");
        let request = ToolRequest {
            method: "POST".into(),
            url: format!("https://{mark}.example/{mark}?q=s3cr3t0xseed"),
            headers: vec![("Authorization".into(), format!("Bearer {mark}"))],
            body: Some(json!({"key": mark, "list": [mark]})),
            idempotency_key: "1".into(),
            mcp: None,
        };
        let values = BTreeMap::from([("k".to_owned(), "a/b\r\n".to_owned())]);
        let filled = marks.fill(&request, &values).unwrap();
        assert_eq!(filled.url, "https://a/b.example/a%2Fb%0D%0A?q=s3cr3t0xseed");
        assert_eq!(filled.headers[0].1, "Bearer a/b");
        assert_eq!(filled.body, Some(json!({"key": "a/b\r\n", "list": ["a/b\r\n"]})));
        assert_eq!(marks.fill(&request, &BTreeMap::new()).unwrap().headers[0].1, "Bearer ");
    }

    fn request() -> ToolRequest {
        ToolRequest {
            method: "POST".into(),
            url: "https://shop.example".into(),
            headers: Vec::new(),
            body: None,
            idempotency_key: "1".into(),
            mcp: None,
        }
    }

    #[test]
    fn many_secrets_are_filled_in_and_values_are_not_scanned_again() {
        let names: Vec<String> = (0..30).map(|n| format!("k{n}")).collect();
        let marks = SecretMarks::new(names.clone(), "seed", &request());
        let context = marks.as_context();
        let text: String = names.iter().map(|name| format!("{} s3cr3t ", context[name].as_str().unwrap())).collect();
        let value = |name: &String| match name.as_str() {
            "k1" => context["k2"].as_str().unwrap().to_owned(),
            name => format!("<{name}>"),
        };
        let values: BTreeMap<String, String> = names.iter().map(|name| (name.clone(), value(name))).collect();
        let filled = marks.fill(&ToolRequest { body: Some(json!(text)), ..request() }, &values).unwrap();
        let expected: String = names.iter().map(|name| format!("{} s3cr3t ", values[name])).collect();
        assert_eq!(filled.body, Some(json!(expected)));
    }

    #[test]
    fn secret_in_many_places_does_not_grow_the_request_beyond_its_limit() {
        let marks = SecretMarks::new(["k".to_owned()], "seed", &request());
        let mark = marks.as_context()["k"].as_str().unwrap().to_owned();
        let request = ToolRequest { body: Some(json!(vec![mark; 20_000])), ..request() };
        let filled = |bytes| marks.fill(&request, &BTreeMap::from([("k".to_owned(), "s".repeat(bytes))]));
        assert!(filled(10).is_some());
        assert!(filled(10_000).is_none());
    }

    #[test]
    fn secrets_in_answers_are_redacted() {
        let values = BTreeMap::from([("k".to_owned(), "top secret".to_owned()), ("short".to_owned(), "a".to_owned())]);
        let content = json!({"echo": "url?k=top%20secret", "top secret": ["a top secret b"], "a": 1});
        let answer = ToolAnswer::Answered { status: 200, content, truncated: false }.redacted(&values);
        let content = json!({"echo": "url?k=[redacted]", "[redacted]": ["a [redacted] b"], "a": 1});
        assert_eq!(answer, ToolAnswer::Answered { status: 200, content, truncated: false });
        let failed = ToolAnswer::Failed { code: "x".into(), message: "no host top secret".into() }.redacted(&values);
        assert_eq!(failed, ToolAnswer::Failed { code: "x".into(), message: "no host [redacted]".into() });
    }
}
