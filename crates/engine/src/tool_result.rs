//! Makes the result that the model reads from a tool's answer: the part that the builder's query
//! selects, cut to a limit. Pure, but slow: a worker does it outside of the step's transaction, and
//! the outcome is journaled. A replay evaluates no query.

use crate::{
    limits,
    query::{self, Selected},
};
use domain::{
    json,
    limits::{ANSWER_VALUES, QUERY_NODES, QUERY_TEXT},
    tool_request::ToolAnswer,
};
use serde_json::{Value, json};
use std::io::{self, Write};

/// Error code of a result that exceeds a budget.
const TOO_LARGE: &str = "result_too_large";

/// The part of a tool's settings that its result depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultRule {
    /// An MCP server answers. What it says is untrusted text and stays inside JSON, where it cannot
    /// begin a line.
    pub(crate) mcp: bool,
    /// JMESPath; not blank.
    pub(crate) query: Option<String>,
}

/// The result of a call.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolResult {
    pub result: Value,
    /// Data of a `warning` event.
    pub warning: Option<Value>,
    /// The request did not succeed: no answer, an error, or a status from 400 on.
    pub failed: bool,
}

impl ResultRule {
    /// Every HTTP status is a result. A failing query leaves the answer unfiltered.
    pub fn read(&self, answer: &ToolAnswer) -> ToolResult {
        match answer {
            ToolAnswer::Failed { code, message } => {
                ToolResult { result: json!({"error": message, "code": code}), warning: None, failed: true }
            }
            ToolAnswer::Answered { status, content, truncated } => self.read_content(*status, content, *truncated),
        }
    }

    fn read_content(&self, status: u16, content: &Value, truncated: bool) -> ToolResult {
        let (selected, warning) = match self.selected(status, content, truncated) {
            None => (None, None),
            Some(Selected::Found(value)) => (Some(value), None),
            Some(Selected::Failed(message)) => (None, Some(json!({"code": "jmespath", "message": message}))),
            Some(Selected::TooLarge) => {
                let message =
                    format!("the JMESPath expression needs more than {QUERY_NODES} values or {QUERY_TEXT} bytes");
                return ToolResult {
                    result: json!({"error": "result too large", "code": TOO_LARGE}),
                    warning: Some(json!({"code": TOO_LARGE, "message": message})),
                    failed: status >= 400,
                };
            }
        };
        let whole = || if self.mcp { content.clone() } else { answer_of(status, content, truncated) };
        let mut result = selected.unwrap_or_else(whole);
        if self.mcp {
            result = json!({"result": result});
            if truncated {
                result["truncated"] = Value::Bool(true);
            }
        }
        ToolResult { result: cut(result), warning, failed: status >= 400 }
    }

    /// A webhook's query is applied to its content, else to the whole answer; a query of an MCP tool
    /// to the structured content, else to the text read as JSON.
    fn selected(&self, status: u16, content: &Value, truncated: bool) -> Option<Selected> {
        let query = self.query.as_deref()?;
        if self.mcp {
            let parsed = match content.as_str().map(|text| json::parse(text.as_bytes(), ANSWER_VALUES)) {
                Some(Err(json::Refused::TooMany(_))) => return Some(Selected::TooLarge),
                parsed => parsed.and_then(Result::ok),
            };
            return Some(query::select(query, parsed.as_ref().unwrap_or(content), None));
        }
        Some(query::select(query, content, Some(&answer_of(status, content, truncated))))
    }
}

fn answer_of(status: u16, content: &Value, truncated: bool) -> Value {
    let mut answer = json!({"status_code": status, "content": content});
    if truncated {
        answer["truncated"] = Value::Bool(true);
    }
    answer
}

/// Limits a result to the size that the model may see. Writes no more than that itself.
fn cut(value: Value) -> Value {
    let mut shown = Shown(Vec::new());
    let whole = match &value {
        Value::String(text) => shown.write_all(text.as_bytes()).is_ok(),
        other => serde_json::to_writer(&mut shown, other).is_ok(),
    };
    if whole {
        return value;
    }
    let text = match std::str::from_utf8(&shown.0) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&shown.0[..error.valid_up_to()]).unwrap_or_default(),
    };
    json!({"truncated": true, "text": text})
}

/// Keeps the first bytes and refuses the others.
struct Shown(Vec<u8>);

impl Write for Shown {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = limits::TOOL_RESULT - self.0.len();
        if room == 0 && !bytes.is_empty() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let kept = room.min(bytes.len());
        self.0.extend_from_slice(&bytes[..kept]);
        Ok(kept)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
