//! The pending effect of an execution, and its sends.

use crate::effect::{CallModel, McpServerRequest};
use domain::{
    Timestamp,
    chat::ToolCall,
    message::Content,
    tool_request::{SecretMarks, ToolRequest},
};
use serde::{Deserialize, Serialize};

/// The external outcome that must come before the execution can continue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pending {
    Model {
        call: CallModel,
        /// Failed attempts so far.
        failures: u32,
        /// Earliest time of the next attempt, after a failed one.
        not_before: Option<Timestamp>,
        /// Time of the first failure.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        failing_since: Option<Timestamp>,
    },
    /// A webhook or MCP tool.
    Tool {
        effect: String,
        /// The call that the result answers.
        call: ToolCall,
        /// Holds marks where secrets belong.
        request: ToolRequest,
        /// Secrets that replace the marks when the request leaves.
        #[serde(skip_serializing_if = "SecretMarks::is_empty", default)]
        secrets: SecretMarks,
        /// Time of the request.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        since: Option<Timestamp>,
    },
    /// A knowledge search.
    Retrieval {
        effect: String,
        /// The call that the result answers.
        call: ToolCall,
        /// Key of the base in the visited node.
        base: String,
        queries: Vec<String>,
        since: Timestamp,
    },
    /// The tools of the node's MCP servers.
    ToolList { effect: String, servers: Vec<McpServerRequest> },
    /// The sends of one call.
    SendsOf { call: ToolCall },
    /// All sends: the execution is about to wait or end.
    AllSends,
}

/// A send without an outcome.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OpenSend {
    pub effect: String,
    /// The call that made it; absent for plain text.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub call_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub content: Option<Content>,
}

/// A failed send that the model has not seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FailedSend {
    /// The call that made it; absent for plain text.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub call_id: Option<String>,
    /// For example `send_failed`.
    pub code: String,
    /// For the model and for people.
    pub message: String,
}
