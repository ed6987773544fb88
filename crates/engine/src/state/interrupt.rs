//! Reasons for which an execution waits for people.

use domain::{Timestamp, chat::ToolCall};
use serde::{Deserialize, Serialize};

/// What rest means until input comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InterruptKind {
    /// `WaitForUser`, or a text without a tool call.
    Wait,
    /// `EnterIdleState`, or the model gave no answer that could be used.
    Idle,
    /// `AskUserForInput`.
    Ask,
    /// A template whose answer is awaited.
    Template,
    /// The API has paused it.
    Manual,
    /// A person has taken over.
    Handoff,
}

/// Why the execution rests; at most one at a time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Interrupt {
    /// Unique within the execution.
    pub id: String,
    /// What rest means.
    pub kind: InterruptKind,
    /// Where it rests.
    pub node: String,
    /// The call that the next input answers.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub call: Option<ToolCall>,
    /// What was asked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub message: Option<String>,
    /// Since when.
    pub since: Timestamp,
    /// When the execution ends unless somebody says something.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expires_at: Option<Timestamp>,
}
