//! An HTTP request that an agent's webhook tool makes, and what came of it.
//!
//! The engine builds the request and the result that the model reads; `gateways::webhook` only carries it out.

use serde::{Deserialize, Serialize};
use serde_json::Value;

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
