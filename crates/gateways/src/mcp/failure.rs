//! Failures of requests to MCP servers.

use crate::egress::{FailureCode, Refusal};
use domain::tool_request::ToolAnswer;
use reqwest::StatusCode;
use serde_json::Value;

/// Longest message in bytes.
const MESSAGE: usize = 2 << 10;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) code: &'static str,
    message: String,
}

impl Failure {
    /// The response is malformed or incomplete.
    pub(super) fn bad_response(message: impl Into<String>) -> Self {
        Self { code: FailureCode::BadResponse.as_str(), message: message.into() }
    }

    pub(super) fn read_timeout() -> Self {
        Self { code: FailureCode::ReadTimeout.as_str(), message: "the MCP server did not answer in time".into() }
    }

    pub(super) fn write_timeout() -> Self {
        Self { code: FailureCode::WriteTimeout.as_str(), message: "the request was not written in time".into() }
    }

    /// A response without success.
    pub(super) fn status(status: StatusCode) -> Self {
        let number = status.as_u16();
        Self::bad_response(if status.is_redirection() {
            format!("the MCP server answered {number}: redirects are not followed, the URL must be the final one")
        } else {
            format!("the MCP server answered {number}")
        })
    }

    /// A JSON-RPC error.
    pub(super) fn refused(error: &Value) -> Self {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Self { code: "mcp_error", message: format!("{}: {}", text(&error["code"]), text(&error["message"])) }
    }

    /// The request is invalid and was not sent.
    pub(super) fn not_asked(message: &str) -> Self {
        Self { code: "mcp_error", message: message.into() }
    }

    /// The tool reports that it failed.
    pub(super) fn tool(message: String) -> Self {
        Self { code: "tool_error", message }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self { code: refusal.code.as_str(), message: refusal.message }
    }
}

impl From<Failure> for ToolAnswer {
    fn from(failure: Failure) -> Self {
        Self::Failed { code: failure.code.to_owned(), message: shortened(&failure.message, MESSAGE).to_owned() }
    }
}

/// The first `bytes` of a text, cut between two characters.
pub(super) fn shortened(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}
