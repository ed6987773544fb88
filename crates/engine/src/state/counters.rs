//! Counters that the limits of a turn are checked against.

use domain::{Timestamp, chat::Usage};
use serde::{Deserialize, Serialize};

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
    #[serde(skip_serializing_if = "is_zero", default)]
    pub cut: u32,
    /// The model, or its provider's filter, refused to answer the latest input.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub refused: bool,
    /// Answers of version 1 in a row that reached no one: empty ones and texts without calls.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub silent: u32,
    #[serde(skip_serializing_if = "is_zero", default)]
    pub model_calls: u32,
    #[serde(skip_serializing_if = "Usage::is_nothing", default)]
    pub usage: Usage,
    /// Ids of sends and requests.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub effects: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}
