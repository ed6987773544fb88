//! Counters that the limits of a turn are checked against.

use domain::{Timestamp, chat::Usage};
use serde::{Deserialize, Serialize};

/// What is counted within one turn; a new turn starts at nought.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TurnCounters {
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// Model calls and tool results.
    pub steps: u32,
    /// Model calls in this visit of the node.
    pub visit_calls: u32,
    /// Nodes entered.
    pub entries: u32,
    /// Moves to nowhere, in a row.
    pub bad_moves: u32,
    /// Answers without content, in a row.
    pub empty: u32,
    /// Answers thrown away because somebody wrote meanwhile.
    pub discarded: u32,
    /// Messages sent that did not rest.
    pub sends: u32,
    /// Resting messages that could not be sent.
    pub failed_sends: u32,
    /// The model was told to wrap up.
    pub wrapping_up: bool,
    /// Answers in a row that their limit cut off; after the first one the model may say twice as much.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub cut: u32,
    /// The model, or its provider's filter, refused to answer what was said last.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub refused: bool,
    /// Answers of version 1 in a row that said nothing to anybody: empty ones and texts without calls.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub silent: u32,
    /// Questions to the model.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub model_calls: u32,
    /// Tokens used.
    #[serde(skip_serializing_if = "Usage::is_nothing", default)]
    pub usage: Usage,
    /// What was done in the world: ids of sends and requests.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub effects: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}
