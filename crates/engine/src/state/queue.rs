//! Inputs that are kept until the next safe point.

use domain::execution::{ExecutionInput, ExecutionStatus};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An input for the next safe point.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueuedInput {
    /// A message of the contact.
    #[serde(rename = "said")]
    Message {
        /// Id of the stored message.
        id: String,
        text: String,
    },
    /// Data of another system.
    Data { id: String, value: Value },
}

/// A status set by the API, applied at the next safe point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestedStatus {
    pub status: ExecutionStatus,
    pub reason: String,
}

/// A resume (API).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Resume {
    #[serde(default)]
    pub id: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub message: Option<ExecutionInput>,
}
