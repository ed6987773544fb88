//! What an outbox row is to send: what an agent said, or a message of any type that came over the API.
//!
//! A file of the API is no part of the row: it waits in pieces beside it (`store::uploads`) until WhatsApp has given it an
//! id, and from then on the row is like any other.

use domain::{
    message::{self, MediaKind},
    wording,
};
use gateways::whatsapp::{
    Content,
    send::{Media, MediaSource},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

/// What is to be sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Parcel {
    /// What an agent says.
    Said(message::Content),
    /// As WhatsApp takes it.
    Ready { ready: Content },
    /// A file that WhatsApp does not have yet.
    File { file: WaitingFile },
}

/// A file that waits to be uploaded, and the message that it will be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingFile {
    /// Names its pieces.
    pub upload: Uuid,
    /// In bytes.
    pub size: i64,
    /// As which it is uploaded.
    pub mime_type: String,
    /// What it is called.
    pub filename: String,
    /// As which it is sent.
    pub kind: MediaKind,
    /// Shown below it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub caption: Option<String>,
}

impl WaitingFile {
    /// The message, once WhatsApp knows the file by this id. Only documents have a name there.
    pub fn uploaded(&self, id: String) -> Content {
        let filename = (self.kind == MediaKind::Document).then(|| self.filename.clone());
        let source = MediaSource::Id(id);
        Content::Media(Media { kind: self.kind.into(), source, caption: self.caption.clone(), filename, voice: false })
    }
}

impl Parcel {
    /// Whether the service window does not matter to it, and people pay for each.
    pub fn is_template(&self) -> bool {
        matches!(self, Self::Said(message::Content::Template(_)) | Self::Ready { ready: Content::Template(_) })
    }

    /// The stored and wire word of its type.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Said(content) => content.kind(),
            Self::Ready { ready } => ready.kind(),
            Self::File { file } => file.kind.as_str(),
        }
    }

    /// The node of its type in Meta's words, as far as it is known.
    fn node(&self) -> Value {
        match self {
            Self::Said(content) => Content::from(content.clone()).node(),
            Self::Ready { ready } => ready.node(),
            Self::File { file } => {
                let mut node = file.uploaded(String::new()).node();
                node["mime_type"] = json!(file.mime_type);
                if let Some(fields) = node.as_object_mut() {
                    fields.remove("id");
                }
                node
            }
        }
    }

    /// As it is shown in a conversation.
    pub fn in_words(&self) -> String {
        match self {
            Self::Said(content) => content.in_words(),
            Self::File { file } if file.caption.is_none() => format!("[{}] {}", file.kind.as_str(), file.filename),
            other => wording::of(other.kind(), &other.node()),
        }
    }

    /// What is stored beside the words, in the form of an inbound message; a text needs nothing but them.
    pub fn raw(&self) -> Option<String> {
        let kind = self.kind();
        (kind != "text").then(|| json!({"type": kind, kind: self.node()}).to_string())
    }

    /// The same of a file whose type is known.
    pub fn raw_with_type(&self, mime_type: &str) -> String {
        let kind = self.kind();
        let mut node = self.node();
        node["mime_type"] = json!(mime_type);
        json!({"type": kind, kind: node}).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbox::Payload;

    fn file() -> WaitingFile {
        WaitingFile {
            upload: Uuid::nil(),
            size: 3,
            mime_type: "application/pdf".into(),
            filename: "bill.pdf".into(),
            kind: MediaKind::Document,
            caption: None,
        }
    }

    #[test]
    fn every_parcel_comes_back_from_its_row() {
        let template = message::TemplateMessage {
            name: "t".into(),
            language: None,
            parameters: vec![("1".into(), "a".into())],
            template_id: None,
            config_id: None,
            components: Vec::new(),
            text: None,
        };
        let place = Content::Location { latitude: -23.561_414_4, longitude: 0.1, name: None, address: None };
        for parcel in [
            Parcel::Said(message::Content::Text("hi".into())),
            Parcel::Said(message::Content::Template(template)),
            Parcel::Ready { ready: place },
            Parcel::Ready { ready: Content::Text { body: "hi".into(), preview_url: false } },
            Parcel::File { file: file() },
        ] {
            let payload = Payload { wa_id: Some("5511".into()), user_id: None, content: parcel };
            let stored = serde_json::to_string(&payload).unwrap();
            let read: Payload = serde_json::from_str(&stored).unwrap();
            assert_eq!(format!("{:?}", read.content), format!("{:?}", payload.content), "{stored}");
        }
        let before = r#"{"wa_id":"5511","user_id":null,"media":{"kind":"image","url":"https://a.example/x.png"}}"#;
        let read: Payload = serde_json::from_str(before).unwrap();
        assert!(matches!(read.content, Parcel::Said(message::Content::Media(_))), "rows of an earlier version");
    }

    #[test]
    fn a_waiting_file_is_shown_without_an_id() {
        let parcel = Parcel::File { file: file() };
        assert_eq!(parcel.in_words(), "[document] bill.pdf");
        let raw: Value = serde_json::from_str(&parcel.raw().unwrap()).unwrap();
        assert_eq!(raw["document"], json!({"filename": "bill.pdf", "mime_type": "application/pdf"}));
    }
}
