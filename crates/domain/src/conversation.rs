//! Conversations and WhatsApp numbers.

use crate::words;
use serde::{Deserialize, Serialize};

words! {
    pub enum ConversationStatus {
        Active = "active",
        Ended = "ended",
    }

    /// Kind of a WhatsApp config.
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum ConfigKind {
        Production = "production",
        Sandbox = "sandbox",
    }
}
