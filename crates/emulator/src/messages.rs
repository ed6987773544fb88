//! A message of a conversation and its statuses.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::clock::Millis;

/// Type of a message that its author deleted.
pub(crate) const DELETED: &str = "deleted";

/// Direction of a message, seen from the business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Direction {
    /// From a contact to the business.
    In,
    /// From the business to a contact.
    Out,
}

/// Delivery status of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StatusKind {
    Sent,
    Delivered,
    Read,
    Played,
    Failed,
    Deleted,
}

impl StatusKind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Played => "played",
            Self::Failed => "failed",
            Self::Deleted => "deleted",
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct StatusEntry {
    pub(crate) status: StatusKind,
    pub(crate) at: Millis,
    pub(crate) error: Option<Value>,
}

impl StatusEntry {
    pub(crate) fn to_json(&self) -> Value {
        let mut entry = json!({"status": self.status, "at": (self.at / 1000).to_string()});
        if let Some(error) = &self.error {
            entry["error"] = error.clone();
        }
        entry
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) number: String,
    pub(crate) user: String,
    pub(crate) direction: Direction,
    pub(crate) kind: String,
    pub(crate) content: Value,
    /// Category of a template message, for the pricing in its statuses.
    pub(crate) category: Option<String>,
    pub(crate) at: Millis,
    pub(crate) reply_to: Option<String>,
    pub(crate) reactions: Vec<Value>,
    pub(crate) statuses: Vec<StatusEntry>,
    /// `biz_opaque_callback_data`, returned in every status.
    pub(crate) opaque: Option<String>,
    /// Error code that is reported as `failed` instead of `sent`.
    pub(crate) fails_with: Option<u32>,
    /// Set by a fault that reverses the order of the status webhooks.
    pub(crate) reversed: bool,
    /// Set after the first edit by its author.
    pub(crate) edited: bool,
    /// Status webhooks that wait for `delivered`.
    pub(crate) held: Vec<(StatusKind, Value)>,
    /// Set while `delivered` waits for the phone to come online.
    pub(crate) waits_for_phone: bool,
}

impl Message {
    pub(crate) fn has(&self, status: StatusKind) -> bool {
        self.statuses.iter().any(|entry| entry.status == status)
    }

    /// Sets the contact's only reaction; an empty `emoji` removes it.
    pub(crate) fn react(&mut self, user: &str, emoji: &str) {
        self.reactions.retain(|reaction| reaction["from"] != user);
        if !emoji.is_empty() {
            self.reactions.push(json!({"from": user, "emoji": emoji}));
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        let statuses: Vec<Value> = self.statuses.iter().map(StatusEntry::to_json).collect();
        json!({
            "id": self.id,
            "direction": self.direction,
            "type": self.kind,
            "content": self.content,
            "edited": self.edited,
            "timestamp": (self.at / 1000).to_string(),
            "reply_to": self.reply_to,
            "reactions": self.reactions,
            "statuses": statuses,
        })
    }
}
