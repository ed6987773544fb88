//! The statuses of an execution and their transitions (docs/spec/engine.md 2.9).

use crate::{Timestamp, words};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::str::FromStr;

words! {
    /// Reason for a timer of an execution.
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum TimerKind {
        /// A wait in a WarmEndNode.
        WarmEnd = "warm_end",
        /// 24 hours without a message of the contact.
        Inactivity = "inactivity",
    }

    /// Author of an entry in the history of an execution.
    pub enum HistoryOrigin {
        Contact = "contact",
        Model = "model",
        Tool = "tool",
        /// Written by the engine, also in the model's name.
        Engine = "engine",
        /// A person who answered in the agent's place.
        Person = "person",
        /// Data and resumes over the API.
        System = "system",
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExecutionStatus {
    /// Created; no step is done, or the worker died and another has not continued.
    Started,
    /// A turn is in progress.
    Running,
    /// Waiting for input.
    Paused,
    /// A person has the conversation; the agent is silent.
    Handoff,
    /// Over: reached `__end__`, timed out, or ended by the API.
    Ended,
    /// Over with an error; can be resumed if the error is retryable.
    Failed,
    /// Over: stopped on request.
    Stopped,
}

impl ExecutionStatus {
    /// In the order of the table.
    pub const ALL: [Self; 7] =
        [Self::Started, Self::Running, Self::Paused, Self::Handoff, Self::Ended, Self::Failed, Self::Stopped];

    /// The word in the API.
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

    /// True for a pair of the table. A failed execution continues only if its error is retryable.
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

    /// True if the API may set this status: only a worker starts or runs an execution, and one that
    /// has not started can only be stopped.
    pub const fn may_be_set(self, to: Self) -> bool {
        let settable = matches!(to, Self::Paused | Self::Ended | Self::Handoff | Self::Failed | Self::Stopped);
        settable && self.may_become(to) && !matches!((self, to), (Self::Started, Self::Failed))
    }

    /// True if the conversation is free for a new execution.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Ended | Self::Failed | Self::Stopped)
    }
}

/// The text is none of the seven words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown execution status")]
pub struct UnknownStatus;

impl FromStr for ExecutionStatus {
    type Err = UnknownStatus;
    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        Self::ALL.into_iter().find(|status| status.as_str() == text).ok_or(UnknownStatus)
    }
}

/// Error of a failed execution (docs/spec/engine.md 2.9); the codes are a closed list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecutionError {
    /// For example `llm_unavailable`.
    pub code: String,
    /// For people.
    pub message: String,
    /// The visited node.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub node: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub at: Option<Timestamp>,
    /// True if a resume may continue with the stored input.
    pub retryable: bool,
}

impl ExecutionError {
    /// An error of this code; the code decides whether it is retryable.
    pub fn new(code: &str, message: impl Into<String>, node: Option<String>) -> Self {
        let for_good = [
            "channel_auth",
            "llm_key_missing",
            "llm_provider_missing",
            "budget_exceeded",
            "graph_invalid",
            "set_by_api",
            "poison",
        ];
        Self { code: code.into(), message: message.into(), node, at: None, retryable: !for_good.contains(&code) }
    }
}

/// The `message` of create and resume in the API.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ExecutionInput {
    /// A message of the contact.
    UserInput { text: String },
    /// Data from another system.
    Payload { value: Value },
}
