//! Messages: directions and delivery states.

use crate::words;
use serde::{Deserialize, Serialize};

words! {
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Direction {
        /// From the contact to the business.
        Inbound = "inbound",
        /// From the business to the contact.
        Outbound = "outbound",
    }

    /// The author of a message.
    pub enum MessageOrigin {
        Contact = "contact",
        Agent = "agent",
        /// A person in the dashboard.
        Person = "person",
        /// A client of the API.
        Api = "api",
        /// The sandbox's answers about sessions and codes.
        Sandbox = "sandbox",
        /// A reply written on the business's phone.
        Phone = "phone",
    }

    /// A stored message's status: `received` for inbound ones until they are read, else its delivery.
    pub enum MessageStatus {
        Received = "received",
        Pending = "pending",
        Failed = "failed",
        Sent = "sent",
        Delivered = "delivered",
        Read = "read",
        Played = "played",
    }

    /// The progress of an outbound message. Statuses arrive late and out of order; a message never moves backwards
    /// (docs/spec/whatsapp-cloud-api.md 1.5).
    #[derive(PartialOrd, Ord)]
    pub enum Delivery {
        /// Stored, or accepted by WhatsApp, with no status yet.
        Pending = "pending",
        /// Refused or undeliverable. `delivered` or a later state replaces it: it was delivered after all.
        Failed = "failed",
        /// Left WhatsApp's servers.
        Sent = "sent",
        /// On the phone.
        Delivered = "delivered",
        Read = "read",
        /// A voice message was played.
        Played = "played",
    }
}

/// Maps WhatsApp's type to a type that clients know.
pub fn contract_kind(kind: &str) -> &'static str {
    match kind {
        "image" | "sticker" => "image",
        "video" => "video",
        "audio" => "audio",
        "document" => "document",
        "template" => "template",
        "location" => "location",
        "interactive" | "button" => "interactive",
        "reaction" => "reaction",
        "contacts" => "contacts",
        _ => "text",
    }
}

impl Delivery {
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

/// The content of a message to a contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// 1 to 4096 characters.
    Text(String),
    Media(Media),
    /// A template that WhatsApp has approved.
    Template(TemplateMessage),
}

impl Content {
    /// The stored word of its kind.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Media(media) => media.kind.as_str(),
            Self::Template(_) => "template",
        }
    }

    /// Text or caption, else the kind, as a conversation shows it.
    pub fn in_words(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Media(Media { caption: Some(caption), .. }) => caption.clone(),
            Self::Media(media) => format!("[{}] {}", media.kind.as_str(), media.url),
            Self::Template(TemplateMessage { text: Some(text), .. }) => text.clone(),
            Self::Template(template) => format!("[template] {}", template.name),
        }
    }
}

/// The approved template that carries a text outside of the service window: its body has one
/// variable, which the text becomes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowTemplate {
    /// Name at WhatsApp.
    pub name: String,
    /// Needed if the template exists in several languages.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub language: Option<String>,
}

/// Media that WhatsApp fetches from a URL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Media {
    pub kind: MediaKind,
    /// Absolute https URL.
    pub url: String,
    /// Shown below it; not with audio.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub caption: Option<String>,
    /// Shown for documents only.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub filename: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaKind {
    Image,
    Video,
    Audio,
    Document,
}

impl MediaKind {
    pub const ALL: [Self; 4] = [Self::Image, Self::Video, Self::Audio, Self::Document];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Document => "document",
        }
    }

    /// Reads the word in either case.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str().eq_ignore_ascii_case(text.trim()))
    }
}

/// A template with its parameters filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateMessage {
    /// Name at WhatsApp.
    pub name: String,
    /// Language, if the agent names one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub language: Option<String>,
    /// Parameters of the body by name, or by position from `1`.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub parameters: Vec<(String, String)>,
    /// The stored template.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub template_id: Option<String>,
    /// The number to send from.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub config_id: Option<String>,
    /// Meta's component structure, for a template filled in by its stored form; it replaces the
    /// parameters.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub components: Vec<serde_json::Value>,
    /// The text as a person reads it, if the stored form is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub text: Option<String>,
}
