//! Inputs that are kept until a step acts on them.

use domain::{
    execution::{ExecutionInput, ExecutionStatus},
    ids::MessageId,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Inputs that no step has acted on.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Inputs {
    /// Inputs for the next safe point.
    pub queued: Vec<QueuedInput>,
    /// Messages that others sent to the contact, for the next safe point.
    pub external_messages: Vec<String>,
    /// Messages that the contact deleted after the model had read them; the model is told at the
    /// next safe point.
    pub deleted: u32,
    pub resume: Option<Resume>,
    /// Reason of a stop.
    pub stop: Option<String>,
    /// A status set by the API.
    pub requested_status: Option<RequestedStatus>,
}

impl Inputs {
    /// True if the next request to the model differs from one under way.
    pub(crate) const fn change_prompt(&self) -> bool {
        !self.queued.is_empty() || self.deleted > 0
    }

    /// True if an input ends a wait: a timer of the same step is ignored.
    pub(crate) const fn end_wait(&self) -> bool {
        !self.queued.is_empty() || self.resume.is_some() || self.stop.is_some() || self.requested_status.is_some()
    }
}

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
        /// The stored message, if it has a picture.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        picture: Option<MessageId>,
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
