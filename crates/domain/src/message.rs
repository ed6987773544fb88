//! Messages: directions and delivery states.

use serde::{Deserialize, Serialize};

/// Who sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the contact to the business.
    Inbound,
    /// From the business to the contact.
    Outbound,
}

impl Direction {
    /// The wire word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inbound => "inbound",
            Self::Outbound => "outbound",
        }
    }
}

/// How far an outbound message has come. Statuses arrive late and out of order; a message never moves backwards
/// (whatsapp-cloud-api.md 1.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Delivery {
    /// Stored, or accepted by WhatsApp, with no status yet.
    Pending,
    /// Refused or undeliverable. `delivered` or a later state wins over it: it was delivered after all.
    Failed,
    /// Left WhatsApp's servers.
    Sent,
    /// On the phone.
    Delivered,
    /// Seen.
    Read,
    /// A voice message was played.
    Played,
}

impl Delivery {
    /// The stored and wire word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Failed => "failed",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Played => "played",
        }
    }

    /// The order in which states replace each other. `failed` stands above `sent`: Meta reports most failures after
    /// having accepted, and only proof of delivery outranks a failure.
    pub const fn rank(self) -> i64 {
        match self {
            Self::Pending => 0,
            Self::Sent => 1,
            Self::Failed => 2,
            Self::Delivered => 3,
            Self::Read => 4,
            Self::Played => 5,
        }
    }
}
