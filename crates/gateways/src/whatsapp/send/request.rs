//! Requests to send a message.

use super::Content;
use domain::{Problem, outgoing};
use serde_json::{Value, json};

#[derive(Debug, Clone, PartialEq)]
pub struct Outgoing {
    pub to: Recipient,
    pub content: Content,
    /// Meta's id of the message that this one quotes.
    pub reply_to: Option<String>,
    /// The tracking token, echoed in each status of the message. Omitted if empty.
    pub opaque: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipient {
    /// Phone number: the last `wa_id` received.
    Phone(String),
    /// Business-scoped user id, for contacts with a hidden number.
    UserId(String),
}

impl Outgoing {
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
    /// Problems that Meta would refuse, so that no message is queued that can never be sent.
    pub fn problems(&self) -> Vec<Problem> {
        outgoing::problems(self.kind(), &self.node())
    }
}

/// Marks an inbound message and all before it as read; `typing` shows the typing indicator for up
/// to 25 s.
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

#[cfg(test)]
mod tests {
    use super::*;
    use domain::message::{Media, MediaKind, TemplateMessage};

    fn sent(content: Content) -> Value {
        Outgoing { to: Recipient::Phone("5511".into()), content, reply_to: None, opaque: String::new() }.to_json()
    }

    #[test]
    fn media_links_carry_only_allowed_fields() {
        let of = |kind| {
            let url = "https://shop.example/x".into();
            let media = Media { kind, url, caption: Some("c".into()), filename: Some("f.pdf".into()) };
            sent(Content::Media(media.into()))
        };
        let link = "https://shop.example/x";
        assert_eq!(of(MediaKind::Image)["image"], json!({"link": link, "caption": "c"}));
        assert_eq!(of(MediaKind::Audio)["audio"], json!({"link": link}));
        assert_eq!(of(MediaKind::Document)["document"], json!({"link": link, "caption": "c", "filename": "f.pdf"}));
        assert_eq!(of(MediaKind::Video)["type"], "video");
    }

    #[test]
    fn template_parameters_are_positional_or_named() {
        let template = TemplateMessage {
            name: "t".into(),
            language: None,
            parameters: [("10", "j"), ("2", "b"), ("who", "Ann")]
                .map(|(name, text)| (name.into(), text.into()))
                .to_vec(),
            template_id: None,
            config_id: None,
            components: Vec::new(),
            text: None,
        };
        let body = sent(Content::Template(template.clone().into()));
        assert_eq!((&body["type"], &body["template"]["name"]), (&json!("template"), &json!("t")));
        assert_eq!(body["template"]["language"], json!({"code": "en_US"}));
        let parameters = json!([{"type": "text", "text": "b"}, {"type": "text", "text": "j"},
            {"type": "text", "parameter_name": "who", "text": "Ann"}]);
        assert_eq!(body["template"]["components"], json!([{"type": "body", "parameters": parameters}]));
        let components = vec![json!({"type": "header", "parameters": [{"type": "text", "text": "Hi"}]})];
        let ready = TemplateMessage { components: components.clone(), ..template.clone() };
        assert_eq!(sent(Content::Template(ready.into()))["template"]["components"], json!(components));
        let plain = TemplateMessage { parameters: Vec::new(), language: Some("pt_BR".into()), ..template };
        let expected = json!({"name": "t", "language": {"code": "pt_BR"}});
        assert_eq!(sent(Content::Template(plain.into()))["template"], expected);
    }
}
