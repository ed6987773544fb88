//! Inputs that are kept until the next safe point.

use domain::execution::{ExecutionInput, ExecutionStatus};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An input that waits for the next safe point.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Waiting {
    /// Said by the contact.
    Said {
        /// The message.
        id: String,
        /// What was said.
        text: String,
    },
    /// Data from a system.
    Data {
        /// The input.
        id: String,
        /// The data.
        value: Value,
    },
}

/// What the API wants the execution to be, from the next safe point on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// The status.
    pub status: ExecutionStatus,
    /// Why.
    pub reason: String,
}

/// A resume call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Resume {
    /// The input.
    #[serde(default)]
    pub id: String,
    /// What came with it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub message: Option<ExecutionInput>,
}
