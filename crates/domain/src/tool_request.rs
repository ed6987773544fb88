//! A request that a tool of an agent makes of a webhook or an MCP server, and what came of it.
//!
//! The engine builds the request and the result that the model reads; `gateways::egress` only carries it out.

use crate::agent::{
    Transport,
    variables::{self, Place},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A request to a URL that a user configured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolRequest {
    /// `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
    pub method: String,
    /// Absolute http or https URL.
    pub url: String,
    /// Headers as configured, in order. Values hold no CR or LF.
    pub headers: Vec<(String, String)>,
    /// The body: sent as compact JSON, a string as it is; none when absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub body: Option<Value>,
    /// Sent as `Idempotency-Key`, the same on every attempt (engine.md 2.10).
    pub idempotency_key: String,
    /// At the URL is an MCP server, and this is asked of it; `method` then only says whether asking twice does harm.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub mcp: Option<McpAsk>,
}

/// What is asked of an MCP server (engine.md 4.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct McpAsk {
    /// How it is talked to.
    pub transport: Transport,
    /// The tool to call, as the server names it, with the request's `body` as arguments. None asks which tools there are: the answer's
    /// content is a list of [`McpTool`].
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tool: Option<String>,
}

/// A tool as an MCP server describes it. All of it is other people's text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct McpTool {
    /// As the server names it.
    pub name: String,
    /// What it does.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub description: Option<String>,
    /// JSON Schema of its arguments, an object.
    pub schema: Value,
}

/// What came of a [`ToolRequest`]. Every status code is an answer, not an error (engine.md 4.1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum ToolAnswer {
    /// The server answered.
    Answered {
        /// HTTP status.
        status: u16,
        /// The body: JSON where it parses, else `{"text": …}`.
        content: Value,
        /// The body was longer than 1 MiB and was cut.
        #[serde(skip_serializing_if = "std::ops::Not::not", default)]
        truncated: bool,
    },
    /// There is no answer.
    Failed {
        /// One of engine.md 4.1.7: `connect_timeout`, `read_timeout`, `write_timeout`, `connect_error`, `tls_error`,
        /// `blocked_address`, `too_many_redirects`, `bad_response`, `missing_url`.
        code: String,
        /// For the model and for people.
        message: String,
    },
}

/// Where secrets belong in a [`ToolRequest`]: a mark stands in the place of each, and the value is put in right before the
/// request leaves. So no prompt, state, journal, event or log can hold one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretMarks(BTreeMap<String, String>);

/// Secrets shorter than this are put in but not looked for in answers: they would be found everywhere.
const SHORTEST: usize = 4;
const REDACTED: &str = "[redacted]";

impl SecretMarks {
    /// Marks for these names, made from `seed`. `taken` is everything that the request says beside secrets: no mark occurs in it, so
    /// that nobody who has a say in the request can write one.
    pub fn new(names: impl IntoIterator<Item = String>, seed: &str, taken: &str) -> Self {
        let mut marks = BTreeMap::new();
        for (place, name) in names.into_iter().enumerate() {
            let mut mark = format!("s3cr3t{place}x{seed}");
            while taken.contains(&mark) {
                mark.push('x');
            }
            marks.insert(mark, name);
        }
        Self(marks)
    }

    /// Whether the request holds no secret.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names, each once.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.values().map(String::as_str)
    }

    /// The marks by name, for `{{secrets.name}}`.
    pub fn as_context(&self) -> Value {
        self.0.iter().map(|(mark, name)| (name.clone(), Value::String(mark.clone()))).collect::<Map<_, _>>().into()
    }

    /// The request with the values in their places, escaped as any other value there; an unknown name leaves nothing.
    pub fn fill(&self, request: &ToolRequest, values: &BTreeMap<String, String>) -> ToolRequest {
        let mut filled = request.clone();
        for (mark, name) in &self.0 {
            let value = values.get(name).map_or("", String::as_str);
            let put = |text: &str, place| variables::put_in(text, mark, value, place);
            filled.url = put(&filled.url, Place::Url);
            filled.headers = filled
                .headers
                .into_iter()
                .map(|(name, value)| (put(&name, Place::Header), put(&value, Place::Header)))
                .collect();
            filled.body = filled.body.map(|body| each_text(body, &|text| put(&text, Place::JsonString)));
        }
        filled
    }
}

impl ToolAnswer {
    /// The answer without secrets that the other side gave back.
    pub fn redacted(self, values: &BTreeMap<String, String>) -> Self {
        let long = values.values().filter(|value| value.len() >= SHORTEST);
        let hidden: Vec<String> = long.flat_map(|value| [value.clone(), variables::percent_encoded(value)]).collect();
        let clean = |text: String| hidden.iter().fold(text, |text, value| text.replace(value, REDACTED));
        match self {
            Self::Failed { code, message } => Self::Failed { code, message: clean(message) },
            Self::Answered { status, content, truncated } => {
                Self::Answered { status, content: each_text(content, &clean), truncated }
            }
        }
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
    fn a_secret_is_put_into_its_place_and_nowhere_else() {
        let marks = SecretMarks::new(["k".to_owned()], "seed", "the mark s3cr3t0xseed was guessed");
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
        let filled = marks.fill(&request, &values);
        assert_eq!(filled.url, "https://a/b.example/a%2Fb%0D%0A?q=s3cr3t0xseed");
        assert_eq!(filled.headers[0].1, "Bearer a/b");
        assert_eq!(filled.body, Some(json!({"key": "a/b\r\n", "list": ["a/b\r\n"]})));
        assert_eq!(marks.fill(&request, &BTreeMap::new()).headers[0].1, "Bearer ");
    }

    #[test]
    fn what_the_other_side_gives_back_is_redacted() {
        let values = BTreeMap::from([("k".to_owned(), "top secret".to_owned()), ("short".to_owned(), "a".to_owned())]);
        let content = json!({"echo": "url?k=top%20secret", "top secret": ["a top secret b"], "a": 1});
        let answer = ToolAnswer::Answered { status: 200, content, truncated: false }.redacted(&values);
        let content = json!({"echo": "url?k=[redacted]", "[redacted]": ["a [redacted] b"], "a": 1});
        assert_eq!(answer, ToolAnswer::Answered { status: 200, content, truncated: false });
        let failed = ToolAnswer::Failed { code: "x".into(), message: "no host top secret".into() }.redacted(&values);
        assert_eq!(failed, ToolAnswer::Failed { code: "x".into(), message: "no host [redacted]".into() });
    }
}
