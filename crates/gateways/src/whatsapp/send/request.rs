//! What is sent.

use serde_json::{Value, json};

/// One message to one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Who gets it.
    pub to: Recipient,
    /// What they get.
    pub content: Content,
    /// Echoed in each status of the message: our tracking token. Left out when empty.
    pub opaque: String,
}

/// How a person is addressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipient {
    /// Phone number, or rather the last `wa_id` seen.
    Phone(String),
    /// Business-scoped user id, for people whose number is hidden.
    UserId(String),
}

/// What a message contains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Plain text.
    Text {
        /// Up to 4096 characters.
        body: String,
        /// Whether WhatsApp shows a preview of the first link.
        preview_url: bool,
    },
}

impl Outgoing {
    /// The request's body.
    pub(super) fn to_json(&self) -> Value {
        let mut body = json!({ "messaging_product": "whatsapp", "recipient_type": "individual" });
        match &self.to {
            Recipient::Phone(number) => body["to"] = json!(number),
            Recipient::UserId(id) => body["recipient"] = json!(id),
        }
        match &self.content {
            Content::Text { body: text, preview_url } => {
                body["type"] = json!("text");
                body["text"] = json!({ "body": text });
                if *preview_url {
                    body["text"]["preview_url"] = json!(true);
                }
            }
        }
        if !self.opaque.is_empty() {
            body["biz_opaque_callback_data"] = json!(self.opaque);
        }
        body
    }
}

/// Marks an inbound message, and all before it, as read; with `typing` the person sees us type for up to 25 s.
pub(super) fn read_receipt(wamid: &str, typing: bool) -> Value {
    let mut body = json!({
        "messaging_product": "whatsapp",
        "status": "read",
        "message_id": wamid,
    });
    if typing {
        body["typing_indicator"] = json!({ "type": "text" });
    }
    body
}
