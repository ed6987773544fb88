//! Counters that the limits of a turn are checked against.

use crate::serde_skip::is_default;
use domain::{Timestamp, chat::Usage};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Counters of one turn; each turn starts at zero.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TurnCounters {
    pub started_at: Option<Timestamp>,
    /// Model calls and tool results.
    pub steps: u32,
    /// Model calls in this visit of the node.
    pub visit_calls: u32,
    /// Nodes entered.
    pub entries: u32,
    /// Moves to a node that is not offered, in a row.
    pub bad_moves: u32,
    /// Answers without content, in a row.
    pub empty: u32,
    /// Answers discarded because a new message arrived.
    pub discarded: u32,
    /// Messages sent by calls that do not wait.
    pub sends: u32,
    /// Messages that could not be sent before a wait.
    pub failed_sends: u32,
    /// The model was asked to wrap up.
    pub wrapping_up: bool,
    /// Answers in a row that were cut off by their token limit. After the first one, twice as many
    /// tokens are allowed.
    #[serde(skip_serializing_if = "is_default", default)]
    pub cut: u32,
    /// The model, or its provider's filter, refused to answer the latest input.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub refused: bool,
    /// Answers of version 1 in a row that reached no one: empty ones and texts without calls.
    #[serde(skip_serializing_if = "is_default", default)]
    pub silent: u32,
    /// Malformed answers and tool calls written as text, in a row.
    #[serde(skip_serializing_if = "is_default", default)]
    pub unusable: u32,
    /// The fallback that the rest of the turn asks, because those before failed; 0 is the agent's model
    /// itself. Since rules 3.
    #[serde(skip_serializing_if = "is_default", default)]
    pub fallback: usize,
    /// Something was sent to the contact. Since rules 3.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub spoke: bool,
    /// The latest request of a tool that may change something.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_write: Option<LastWrite>,
    #[serde(skip_serializing_if = "is_default", default)]
    pub model_calls: u32,
    #[serde(skip_serializing_if = "Usage::is_nothing", default)]
    pub usage: Usage,
    /// Ids of sends and requests.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub effects: Vec<String>,
}

/// A request that is not repeated while nothing else was written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LastWrite {
    pub call_id: String,
    pub tool: String,
    /// SHA-256 of the canonical arguments.
    pub digest: String,
    /// The call succeeded.
    pub done: bool,
    /// Its result, unless that is long.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub result: Option<Value>,
}
