//! Content of an outbox entry: a message of an agent, or a message of any type from the API.
//!
//! The bytes of a file are not part of the entry: they wait in `store::uploads` until WhatsApp has
//! assigned an id, and from then on the entry is like any other.

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

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub enum EntryContent {
    /// In the engine's form.
    Agent(message::Content),
    /// In WhatsApp's form.
    Ready { ready: Content },
    /// A file that is not uploaded to WhatsApp yet.
    File { file: PendingUpload },
}

/// A stored file, and the message that it becomes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingUpload {
    /// Identifies its pieces.
    pub upload: Uuid,
    /// In bytes.
    pub size: i64,
    pub mime_type: String,
    pub filename: String,
    pub kind: MediaKind,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub caption: Option<String>,
}

impl PendingUpload {
    /// The message after the upload. Only documents have a file name at WhatsApp.
    pub fn uploaded(&self, id: String) -> Content {
        let filename = (self.kind == MediaKind::Document).then(|| self.filename.clone());
        let source = MediaSource::Id(id);
        Content::Media(Media { kind: self.kind.into(), source, caption: self.caption.clone(), filename, voice: false })
    }
}

impl EntryContent {
    /// Templates may be sent outside the service window, and each is billed.
    pub fn is_template(&self) -> bool {
        matches!(self, Self::Agent(message::Content::Template(_)) | Self::Ready { ready: Content::Template(_) })
    }

    /// The stored and wire name of its type.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Agent(content) => content.kind(),
            Self::Ready { ready } => ready.kind(),
            Self::File { file } => file.kind.as_str(),
        }
    }

    /// The type's object in Meta's format.
    fn node(&self) -> Value {
        match self {
            Self::Agent(content) => Content::from(content.clone()).node(),
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

    /// Its text in a conversation.
    pub fn in_words(&self) -> String {
        match self {
            Self::Agent(content) => content.in_words(),
            Self::File { file } if file.caption.is_none() => format!("[{}] {}", file.kind.as_str(), file.filename),
            other => wording::of(other.kind(), &other.node()),
        }
    }

    /// The stored raw message, in the format of inbound ones; `None` for a text.
    pub fn raw(&self) -> Option<String> {
        let kind = self.kind();
        (kind != "text").then(|| json!({"type": kind, kind: self.node()}).to_string())
    }

    /// As [`Self::raw`], with the type of an uploaded file.
    pub fn raw_with_type(&self, mime_type: &str) -> String {
        let kind = self.kind();
        let mut node = self.node();
        node["mime_type"] = json!(mime_type);
        json!({"type": kind, kind: node}).to_string()
    }
}

/// The stored payload of an entry: the recipient's address and the content.
#[derive(Debug, Serialize, Deserialize)]
pub struct Payload {
    /// The number as WhatsApp last reported it.
    pub wa_id: Option<String>,
    /// For contacts who hide their number.
    pub user_id: Option<String>,
    #[serde(flatten)]
    pub content: EntryContent,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> PendingUpload {
        PendingUpload {
            upload: Uuid::nil(),
            size: 3,
            mime_type: "application/pdf".into(),
            filename: "bill.pdf".into(),
            kind: MediaKind::Document,
            caption: None,
        }
    }

    #[test]
    fn stored_content_is_read_back_unchanged() {
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
        for content in [
            EntryContent::Agent(message::Content::Text("hi".into())),
            EntryContent::Agent(message::Content::Template(template)),
            EntryContent::Ready { ready: place },
            EntryContent::Ready { ready: Content::Text { body: "hi".into(), preview_url: false } },
            EntryContent::File { file: file() },
        ] {
            let payload = Payload { wa_id: Some("5511".into()), user_id: None, content };
            let stored = serde_json::to_string(&payload).unwrap();
            let read: Payload = serde_json::from_str(&stored).unwrap();
            assert_eq!(format!("{:?}", read.content), format!("{:?}", payload.content), "{stored}");
        }
        let before = r#"{"wa_id":"5511","user_id":null,"media":{"kind":"image","url":"https://a.example/x.png"}}"#;
        let read: Payload = serde_json::from_str(before).unwrap();
        assert!(matches!(read.content, EntryContent::Agent(message::Content::Media(_))), "rows of an earlier version");
    }

    #[test]
    fn pending_upload_is_shown_without_an_id() {
        let content = EntryContent::File { file: file() };
        assert_eq!(content.in_words(), "[document] bill.pdf");
        let raw: Value = serde_json::from_str(&content.raw().unwrap()).unwrap();
        assert_eq!(raw["document"], json!({"filename": "bill.pdf", "mime_type": "application/pdf"}));
    }
}
