//! What is sent to whom.

use super::Content;
use domain::{Problem, outgoing};
use serde_json::{Value, json};

/// One message to one person.
#[derive(Debug, Clone, PartialEq)]
pub struct Outgoing {
    /// Who gets it.
    pub to: Recipient,
    /// What they get.
    pub content: Content,
    /// The message that this one answers, by Meta's id.
    pub reply_to: Option<String>,
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

impl Outgoing {
    /// The request's body.
    pub fn to_json(&self) -> Value {
        let mut body = json!({ "messaging_product": "whatsapp", "recipient_type": "individual" });
        match &self.to {
            Recipient::Phone(number) => body["to"] = json!(number),
            Recipient::UserId(id) => body["recipient"] = json!(id),
        }
        if let Some(id) = &self.reply_to {
            body["context"] = json!({ "message_id": id });
        }
        let kind = self.content.kind();
        body["type"] = json!(kind);
        body[kind] = self.content.node();
        if !self.opaque.is_empty() {
            body["biz_opaque_callback_data"] = json!(self.opaque);
        }
        body
    }
}

impl Content {
    /// What Meta would refuse, so that nothing is queued that can never go out.
    pub fn problems(&self) -> Vec<Problem> {
        outgoing::problems(self.kind(), &self.node())
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
