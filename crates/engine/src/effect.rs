//! Effects: the actions that the engine asks a worker for, and the other results of a step.

use crate::serde_skip::is_default;
use domain::{
    Timestamp,
    chat::ChatMessage,
    execution::{HistoryOrigin, TimerKind},
    message::Content,
    tool_request::{SecretMarks, ToolRequest},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An external action. Ids derive from the execution and a counter, so a replay asks for the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "effect", rename_all = "snake_case")]
pub enum Effect {
    /// Asks the model; its outcome is `Model` or `ModelFailed`.
    CallModel(CallModel),
    /// Cancels a model call; it has no outcome.
    CancelModel { id: String },
    /// Makes an HTTP or MCP request; its outcome is `Tool`.
    CallTool {
        /// Also the idempotency key of the request.
        id: String,
        /// Holds marks where secrets belong.
        request: ToolRequest,
        /// Secrets that replace the marks when the request leaves.
        #[serde(skip_serializing_if = "SecretMarks::is_empty", default)]
        secrets: SecretMarks,
    },
    /// Searches a knowledge base; its outcome is `Retrieved`. Repeating it is harmless.
    Retrieve { id: String, node: String, base: String, queries: Vec<String> },
    /// Lists the tools of MCP servers; its outcome is `ToolsListed`. Repeating it is harmless.
    ListTools {
        id: String,
        /// In the node's order.
        servers: Vec<McpServerRequest>,
    },
    /// Sends a message to the contact; its outcome is `Sent`.
    Send {
        id: String,
        #[serde(flatten)]
        content: Content,
    },
    /// Sets the timer, in place of an earlier one; its outcome is `Timer`.
    SetTimer {
        kind: TimerKind,
        /// The wait that the timer belongs to.
        generation: i64,
        fire_at: Timestamp,
    },
    /// Removes the timer.
    ClearTimer,
}

/// A model call by reference: [`crate::model_request`] builds the request from it and from rows of
/// history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallModel {
    pub id: String,
    /// The node whose tools are offered.
    pub node: String,
    /// Oldest entry of history that may be shown.
    pub from: i64,
    /// Newest entry of history that may be shown.
    pub to: i64,
    /// The contact's first message, shown even when it is older than `from`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first_input: Option<i64>,
    /// The step prompt of this visit, shown even when it is older than `from`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub step_prompt: Option<i64>,
    /// The time in the system prompt.
    pub at: Timestamp,
    /// Index of the model: 0 is the configured one, then its fallbacks.
    #[serde(skip_serializing_if = "is_default", default)]
    pub fallback: usize,
    /// The request was too long and is repeated with half of the history.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub halved: bool,
    /// The previous answer was cut off by its token limit; this one may be twice as long.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub doubled: bool,
    /// The provider reported a call without result: every call is shown with one.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub repaired: bool,
    /// Asks for a summary of these entries, without tools.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub summarises: bool,
    /// Times that the provider refused the form of the request.
    #[serde(skip_serializing_if = "is_default", default)]
    pub adapted: u32,
    /// Tokens that the provider's limit leaves for the answer.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub room: Option<u32>,
}

/// One MCP server to list the tools of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct McpServerRequest {
    /// Name in the node's settings.
    pub server: String,
    /// Holds marks where secrets belong.
    pub request: ToolRequest,
    /// Secrets that replace the marks when the request leaves.
    #[serde(skip_serializing_if = "SecretMarks::is_empty", default)]
    pub secrets: SecretMarks,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Position in the history, from 1, without gaps.
    pub seq: i64,
    pub node: String,
    pub origin: HistoryOrigin,
    pub message: ChatMessage,
    /// The contact's messages in it, in order; their texts are joined by line ends.
    pub parts: Vec<Part>,
}

/// A message of the contact in an entry of the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Meta's id.
    pub id: String,
    /// Length of its text.
    pub bytes: usize,
}

/// An event for traces and webhooks (docs/spec/engine.md 7.3).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Position in the execution, from 1, without gaps.
    pub seq: u64,
    /// For example `node.entered`.
    pub name: String,
    /// Fields by event name.
    #[serde(skip_serializing_if = "Value::is_null", default)]
    pub data: Value,
}

/// Result of one call of [`crate::advance`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Step {
    /// In the order in which they are performed.
    pub effects: Vec<Effect>,
    /// New entries of history.
    pub history: Vec<Entry>,
    pub events: Vec<Event>,
}
