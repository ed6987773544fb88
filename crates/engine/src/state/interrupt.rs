//! Reasons for which an execution waits for people.

use domain::{Timestamp, chat::ToolCall};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InterruptKind {
    /// `WaitForUser`, or a text without a tool call.
    Wait,
    /// `EnterIdleState`, or no usable answer of the model.
    Idle,
    Ask,
    /// A template whose reply is awaited.
    Template,
    /// Paused by the API.
    Manual,
    /// A person has the conversation.
    Handoff,
}

/// The point at which the execution waits; at most one is active.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Interrupt {
    /// Unique within the execution.
    pub id: String,
    pub kind: InterruptKind,
    pub node: String,
    /// The call that the next input answers.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub call: Option<ToolCall>,
    /// The text that was sent with it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub message: Option<String>,
    pub since: Timestamp,
    /// The execution ends at this time unless the contact writes.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expires_at: Option<Timestamp>,
}
