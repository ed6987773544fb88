//! Inputs of the engine. Each is journaled with the clock reading of its step, so that a replay
//! sees the same.

use crate::facts::Contact;
use domain::{
    Timestamp,
    chat::{ModelFailure, ModelResponse},
    execution::{ExecutionInput, ExecutionStatus},
    ids::MessageId,
    message::Direction,
    tool_request::ToolAnswer,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "input", rename_all = "snake_case")]
pub enum Input {
    /// A message of the contact.
    #[serde(rename = "said")]
    Message {
        /// Id of the stored message.
        id: String,
        text: String,
        /// The stored message, if it has a picture that a model can be shown.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        picture: Option<MessageId>,
    },
    /// The contact changed a message.
    Edited {
        /// Id of the change.
        id: String,
        /// Id of the changed message.
        message: String,
        /// Text of the message now. Replaces the earlier text if the model has not read it.
        text: String,
        /// Tells the model about the change if it has read the earlier text.
        note: String,
    },
    /// The contact deleted a message.
    Deleted {
        /// Id of the deletion.
        id: String,
        /// Ids of the message and of its earlier changes.
        messages: Vec<String>,
        /// Entries of the history that held its text.
        #[serde(skip_serializing_if = "Vec::is_empty", default)]
        entries: Vec<i64>,
    },
    /// Data of another system, which is no message.
    Data { id: String, value: Value },
    /// A message that a person or a program sent to the contact in the agent's place.
    #[serde(rename = "outside")]
    ExternalMessage {
        /// Id of the stored message.
        id: String,
        text: String,
    },
    /// Resumes the execution (API).
    Resume {
        id: String,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        message: Option<ExecutionInput>,
        /// The interrupt to leave; any if absent. Another active interrupt is not left.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        interrupt: Option<String>,
    },
    /// A worker reclaimed the execution and continues from the stored state.
    #[serde(rename = "taken_over")]
    Reclaimed,
    /// The contact context, sent with a message where it has changed.
    Contact(Contact),
    /// Messages from before the execution, oldest first. Ignored once the execution has started.
    Earlier { messages: Vec<EarlierMessage> },
    /// Sets the status to `paused`, `ended`, `handoff` or `failed` (API). Ignored where the status
    /// cannot follow.
    SetStatus { id: String, status: ExecutionStatus, reason: String },
    /// Stops the execution.
    Stop { id: String, reason: String },
    /// Ends the execution without its agent: its work ended the process repeatedly, or an operator
    /// stopped it. A step with this input has no other, and is made by [`crate::force_end`].
    ForceEnd {
        end: ForcedEnd,
        /// Code of the failure, or reason of the stop.
        code: String,
        /// For people.
        message: String,
    },
    /// A timer fired.
    Timer {
        /// The wait that it belongs to; a timer of another wait is ignored.
        generation: i64,
    },
    /// The model answered.
    Model { effect: String, response: ModelResponse },
    /// The model gave no answer.
    ModelFailed { effect: String, failure: ModelFailure },
    /// Answer of a webhook or MCP tool.
    Tool { effect: String, answer: ToolAnswer },
    /// Result of a webhook or MCP tool, made from its answer by a [`ResultRule`](crate::ResultRule).
    ToolResult {
        effect: String,
        result: Value,
        /// Data of a `warning` event.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        warning: Option<Value>,
        /// The request did not succeed.
        #[serde(skip_serializing_if = "std::ops::Not::not", default)]
        failed: bool,
    },
    /// Result of a knowledge search.
    Retrieved { effect: String, retrieval: Retrieval },
    /// The tools that MCP servers listed.
    ToolsListed {
        effect: String,
        /// One for each server, in the same order.
        lists: Vec<ToolList>,
    },
    /// Secrets that a request names and the project does not have: the request is not made.
    SecretsMissing { names: Vec<String> },
    /// Result of a send.
    Sent { effect: String, outcome: SendOutcome },
}

/// Status after [`Input::ForceEnd`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ForcedEnd {
    Failed,
    Stopped,
}

/// A message from before an execution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EarlierMessage {
    /// Meta's id of a message of the contact.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub id: Option<String>,
    pub direction: Direction,
    pub text: String,
    pub sent_at: Timestamp,
    /// The stored message, if it has a picture that a model can be shown.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub picture: Option<MessageId>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Retrieval {
    /// Passages that match, best first.
    Found {
        /// As the model reads them.
        passages: Vec<String>,
    },
    /// The search failed.
    Failed,
}

/// Answer of one MCP server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolList {
    /// Name in the node's settings.
    pub server: String,
    /// A list of [`McpTool`] as content, or the failure.
    pub answer: ToolAnswer,
    /// Tools that were left out, because they differ from those listed when the agent was saved.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub drifted: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum SendOutcome {
    /// WhatsApp accepted the message.
    Accepted {
        /// Our id of the message.
        message_id: String,
    },
    /// The message was not sent.
    Failed {
        /// `send_failed`, `outside_service_window` or `channel_auth`.
        code: String,
        /// For the model and for people.
        message: String,
    },
    /// Delivery could not be confirmed.
    Unconfirmed {
        /// Our id of the message.
        message_id: String,
    },
}
