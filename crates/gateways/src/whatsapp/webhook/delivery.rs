//! The parts of a delivery.

use domain::Timestamp;
use serde_json::Value;

/// A body that cannot be read at all: 400.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Bytes that are not UTF-8.
    #[error("the body is not UTF-8")]
    NotUtf8,
    /// Text that is not JSON, or nested too deeply.
    #[error("the body is not JSON")]
    NotJson,
    /// JSON that is not an object.
    #[error("the body is not a JSON object")]
    NotAnObject,
}

/// What one POST contains.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Delivery {
    /// In the order of the body.
    pub items: Vec<Item>,
    /// Parts that were dropped because they had no usable shape; for a counter.
    pub malformed: usize,
}

/// One thing in a delivery.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// Something that a person sent.
    Message(InboundMessage),
    /// News of something that we sent.
    Status(StatusUpdate),
    /// Any other change, also of other products: to be kept, without effect until somebody reads it.
    Other {
        /// The webhook field, e.g. `message_template_status_update`; empty when there is none.
        field: String,
        /// The object, usually `whatsapp_business_account`.
        object: String,
        /// The entry's id.
        waba_id: Option<String>,
        /// The number, for changes that name one.
        phone_number_id: Option<String>,
        /// The whole change.
        raw: Value,
    },
}

/// Something that a person sent. Texts hold no NUL, which PostgreSQL cannot store.
#[derive(Debug, Clone, PartialEq)]
pub struct InboundMessage {
    /// Our number, by Meta's id.
    pub phone_number_id: String,
    /// Our number, as people write it.
    pub display_phone_number: Option<String>,
    /// The WhatsApp Business Account.
    pub waba_id: Option<String>,
    /// Meta's id of the message: opaque, compared exactly.
    pub wamid: String,
    /// The sender's phone number (`wa_id`); absent when it is hidden behind a username. One of this and `user_id` is set.
    pub from: Option<String>,
    /// The sender's business-scoped user id.
    pub user_id: Option<String>,
    /// The name in the sender's profile.
    pub profile_name: Option<String>,
    /// The sender's username.
    pub username: Option<String>,
    /// When it was sent, by Meta's clock; `None` when that cannot be read: take the time of receipt.
    pub timestamp: Option<Timestamp>,
    /// The type; `unknown` for types that we do not know and for a text without text.
    pub kind: String,
    /// What it says in words: text, caption, title of a tapped button, emoji of a reaction.
    pub text: Option<String>,
    /// The message that this one quotes, which we may not know.
    pub context_id: Option<String>,
    /// The group that it was sent in: not to be answered as a private chat.
    pub group_id: Option<String>,
    /// The message as Meta sent it.
    pub raw: Value,
}

/// News of something that we sent.
#[derive(Debug, Clone, PartialEq)]
pub struct StatusUpdate {
    /// Our number, by Meta's id.
    pub phone_number_id: String,
    /// Meta's id of our message.
    pub wamid: String,
    /// What happened.
    pub status: Status,
    /// When, by Meta's clock; `None` when that cannot be read: take the time of receipt.
    pub at: Option<Timestamp>,
    /// What we sent as `biz_opaque_callback_data`.
    pub opaque: Option<String>,
    /// Why it failed: the first of Meta's reasons.
    pub error: Option<StatusError>,
    /// Whose status it is: in a group the participant, else the recipient.
    pub recipient: Option<String>,
    /// The same person's business-scoped user id.
    pub recipient_user_id: Option<String>,
}

/// What happened to a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// It left Meta.
    Sent,
    /// It is on the phone.
    Delivered,
    /// It was seen.
    Read,
    /// A voice message was listened to.
    Played,
    /// It will not arrive.
    Failed,
    /// It was deleted.
    Deleted,
    /// A word that we do not know: kept, without effect.
    Other(String),
}

impl Status {
    /// Meta's word for it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Played => "played",
            Self::Failed => "failed",
            Self::Deleted => "deleted",
            Self::Other(word) => word,
        }
    }
}

/// Why a message failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusError {
    /// Meta's code; 0 when it gave none.
    pub code: i64,
    /// Short.
    pub title: Option<String>,
    /// Longer.
    pub message: Option<String>,
    /// Longest.
    pub details: Option<String>,
}
