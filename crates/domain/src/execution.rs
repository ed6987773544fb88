//! The statuses of an execution and what may follow what (engine.md 2.9).

use crate::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::str::FromStr;

/// Where an execution stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExecutionStatus {
    /// The record exists; no step is done, or the worker died and it waits for another.
    Started,
    /// A turn is under way.
    Running,
    /// At rest, waiting for input.
    Paused,
    /// A person has taken over; the agent is silent.
    Handoff,
    /// Over: reached `__end__`, timed out, or ended by the API.
    Ended,
    /// Over with an error, resumable only when the error is retryable.
    Failed,
    /// Over: stopped on request.
    Stopped,
}

impl ExecutionStatus {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 7] =
        [Self::Started, Self::Running, Self::Paused, Self::Handoff, Self::Ended, Self::Failed, Self::Stopped];

    /// The wire word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Handoff => "handoff",
            Self::Ended => "ended",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
        }
    }

    /// The pairs of the table: whether an execution that stands here may come to stand there. A failed one goes on only
    /// where its error is retryable.
    pub const fn may_become(self, to: Self) -> bool {
        match self {
            Self::Started => matches!(to, Self::Running | Self::Failed | Self::Stopped),
            Self::Running => !matches!(to, Self::Running),
            Self::Paused => matches!(to, Self::Running | Self::Ended | Self::Handoff | Self::Failed | Self::Stopped),
            Self::Handoff => matches!(to, Self::Running | Self::Ended | Self::Stopped),
            Self::Failed => matches!(to, Self::Running),
            Self::Ended | Self::Stopped => false,
        }
    }

    /// Whether the API may bring that change about: only a worker starts or runs an execution, and one that has not begun
    /// can only be stopped.
    pub const fn may_be_set(self, to: Self) -> bool {
        let settable = matches!(to, Self::Paused | Self::Ended | Self::Handoff | Self::Failed | Self::Stopped);
        settable && self.may_become(to) && !matches!((self, to), (Self::Started, Self::Failed))
    }

    /// Whether the conversation is free for a new execution.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Ended | Self::Failed | Self::Stopped)
    }
}

/// Not one of the seven words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown execution status")]
pub struct UnknownStatus;

impl FromStr for ExecutionStatus {
    type Err = UnknownStatus;
    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        Self::ALL.into_iter().find(|status| status.as_str() == text).ok_or(UnknownStatus)
    }
}

/// Why an execution failed (engine.md 2.9): a closed list of codes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecutionError {
    /// e.g. `llm_unavailable`.
    pub code: String,
    /// For people.
    pub message: String,
    /// The node that was being visited.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub node: Option<String>,
    /// When it happened.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub at: Option<Timestamp>,
    /// Whether a resume call may take the kept input up again.
    pub retryable: bool,
}

impl ExecutionError {
    /// An error of this code; whether it is retryable follows from the code.
    pub fn new(code: &str, message: impl Into<String>, node: Option<String>) -> Self {
        let for_good = ["channel_auth", "llm_key_missing", "budget_exceeded", "graph_invalid", "set_by_api"];
        Self { code: code.into(), message: message.into(), node, at: None, retryable: !for_good.contains(&code) }
    }
}

/// What a client gives to an execution: the `message` of create and resume.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ExecutionInput {
    /// Something said by the contact.
    UserInput {
        /// The text.
        text: String,
    },
    /// Data from a system, not said by anybody.
    Payload {
        /// Any JSON.
        value: Value,
    },
}
