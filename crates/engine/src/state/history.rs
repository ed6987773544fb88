//! Positions in the history, whose entries are rows outside of the state.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HistoryIndex {
    /// Number of entries.
    pub len: i64,
    /// Estimated tokens of the newest entries, oldest first.
    pub sizes: Vec<u32>,
    /// Entry of the contact's first message.
    pub first_input: Option<i64>,
    /// Entry of the latest step prompt.
    pub step_prompt: Option<i64>,
    /// Replaces the oldest entries, which are not shown to the model.
    pub summary: Option<Summary>,
    /// Texts of the contact that the provider's filter refused; the model is not shown them.
    pub left_out: Vec<String>,
}

/// Summary of the oldest entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// As a model wrote it.
    pub text: String,
    /// Newest entry that it covers.
    pub to: i64,
}
