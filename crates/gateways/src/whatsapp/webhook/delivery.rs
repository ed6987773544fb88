//! The content of a webhook delivery.

use domain::Timestamp;
use serde_json::Value;

/// An unreadable body. Answered with 400, except where it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("the body is not UTF-8")]
    NotUtf8,
    /// Not JSON, or nested too deeply.
    #[error("the body is not JSON")]
    NotJson,
    #[error("the body is not a JSON object")]
    NotAnObject,
    /// More JSON values than Meta sends: it is kept raw.
    #[error("the body has too many values")]
    TooManyValues,
}

/// The content of one POST.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Delivery {
    /// In the order of the body.
    pub items: Vec<Item>,
    /// The number of dropped parts, for a metric.
    pub malformed: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    Message(InboundMessage),
    /// A message, or a change of one, that a person wrote in the WhatsApp Business app of a number
    /// that is in the Cloud API as well. Its `from` and `user_id` are the contact's, who received it.
    Echo(InboundMessage),
    Status(StatusUpdate),
    /// A name in the address book of the WhatsApp Business app.
    SavedContact(SavedContact),
    /// Any other change, also of other products. It is stored and has no effect.
    Other {
        /// The webhook field, for example `message_template_status_update`; empty if there is none.
        field: String,
        /// Usually `whatsapp_business_account`.
        object: String,
        waba_id: Option<String>,
        phone_number_id: Option<String>,
        raw: Value,
    },
}

/// A message from a contact, or an echo of one to a contact. Texts hold no NUL, which PostgreSQL cannot store.
#[derive(Debug, Clone, PartialEq)]
pub struct InboundMessage {
    /// Meta's id of the business number.
    pub phone_number_id: String,
    pub display_phone_number: Option<String>,
    pub waba_id: Option<String>,
    /// Meta's id: opaque, compared exactly.
    pub wamid: String,
    /// The contact's phone number (`wa_id`); absent if hidden. This or `user_id` is set.
    pub from: Option<String>,
    /// The contact's business-scoped user id.
    pub user_id: Option<String>,
    pub profile_name: Option<String>,
    pub username: Option<String>,
    /// By Meta's clock; if it is unreadable, use the time of receipt.
    pub timestamp: Option<Timestamp>,
    /// `unknown` for unknown types and for texts without a body.
    pub kind: String,
    /// The text, caption, title of a tapped button, or emoji of a reaction.
    pub text: Option<String>,
    /// The quoted message, which may not be stored here.
    pub context_id: Option<String>,
    /// The group that it was sent in. Must not be answered as a private chat.
    pub group_id: Option<String>,
    pub raw: Value,
}

/// A contact that a person saved, or renamed, in the WhatsApp Business app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedContact {
    /// Meta's id of the business number.
    pub phone_number_id: String,
    /// The contact's phone number.
    pub number: String,
    pub name: String,
}

#[derive(Debug, Clone, PartialEq)]
pub struct StatusUpdate {
    /// Meta's id of the business number.
    pub phone_number_id: String,
    pub wamid: String,
    pub status: Status,
    /// By Meta's clock; if it is unreadable, use the time of receipt.
    pub at: Option<Timestamp>,
    /// The value that was sent as `biz_opaque_callback_data`.
    pub opaque: Option<String>,
    /// The first of Meta's errors.
    pub error: Option<StatusError>,
    /// The participant in a group, else the recipient.
    pub recipient: Option<String>,
    /// The recipient's business-scoped user id.
    pub recipient_user_id: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    Sent,
    Delivered,
    Read,
    /// A voice message was played.
    Played,
    Failed,
    Deleted,
    /// An unknown status: stored, without effect.
    Other(String),
}

impl Status {
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

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusError {
    /// 0 if Meta sent none.
    pub code: i64,
    pub title: Option<String>,
    pub message: Option<String>,
    pub details: Option<String>,
}
