//! The one thing that an execution waits for between steps, and its sends.

use crate::effect::{AskedServer, CallModel};
use domain::{
    Timestamp,
    chat::ToolCall,
    message::Content,
    tool_request::{SecretMarks, ToolRequest},
};
use serde::{Deserialize, Serialize};

/// The one thing that must happen before the next step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pending {
    /// A model's answer.
    Model {
        /// The question.
        call: CallModel,
        /// Failed tries so far.
        failures: u32,
        /// Not before this time, after a failed try.
        not_before: Option<Timestamp>,
        /// When it failed first.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        failing_since: Option<Timestamp>,
    },
    /// A webhook tool's answer.
    Tool {
        /// The effect.
        effect: String,
        /// The call that it answers.
        call: ToolCall,
        /// The request, with marks where secrets belong.
        request: ToolRequest,
        /// The secrets to put in before it leaves.
        #[serde(skip_serializing_if = "SecretMarks::is_empty", default)]
        secrets: SecretMarks,
        /// When it was asked for.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        since: Option<Timestamp>,
    },
    /// The passages of a knowledge base.
    Retrieval {
        /// The effect.
        effect: String,
        /// The call that it answers.
        call: ToolCall,
        /// The base's key, in the node being visited.
        base: String,
        /// What is looked for.
        queries: Vec<String>,
        /// When it was asked for.
        since: Timestamp,
    },
    /// The tools of the node's MCP servers.
    ToolList {
        /// The effect.
        effect: String,
        /// The servers that were asked.
        servers: Vec<AskedServer>,
    },
    /// The outcome of the sends that a call made.
    SendsOf {
        /// The call.
        call: ToolCall,
    },
    /// The outcome of all sends: the execution wants to rest or end.
    AllSends,
}

/// A send whose outcome is not known yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OpenSend {
    /// The effect.
    pub effect: String,
    /// The call that made it; none for plain text.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub call_id: Option<String>,
    /// What is being sent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub content: Option<Content>,
}

/// A send that failed and that the model has not been told of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FailedSend {
    /// The call that made it; none for plain text.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub call_id: Option<String>,
    /// e.g. `send_failed`.
    pub code: String,
    /// For the model and for people.
    pub message: String,
}
