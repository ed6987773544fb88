//! What a message contains, in our words and in Meta's (whatsapp-cloud-api.md 2.1 and 2.2).
//!
//! Contents serialise, so that they can wait in a table; that form is ours. [`Content::node`] is what goes out.

use domain::message;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// What a message contains.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Content {
    /// Plain text.
    Text {
        /// Up to 4096 characters.
        body: String,
        /// Whether WhatsApp shows a preview of the first link.
        #[serde(default)]
        preview_url: bool,
    },
    /// A picture, a film, a sound, a file, a sticker.
    Media(Media),
    /// A place.
    Location {
        /// −90 to 90.
        latitude: f64,
        /// −180 to 180.
        longitude: f64,
        /// What it is called.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        name: Option<String>,
        /// Where it is, in words.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        address: Option<String>,
    },
    /// People's cards, as Meta writes them: `{name: {formatted_name, …}, phones: […]}`.
    Contacts {
        /// 1 to 257 of them.
        contacts: Vec<Value>,
    },
    /// An emoji on a message.
    Reaction {
        /// The message, by Meta's id.
        message_id: String,
        /// The emoji; empty takes it away.
        emoji: String,
    },
    /// Buttons, lists and what else can be tapped.
    Interactive {
        /// What can be tapped.
        interactive: Interactive,
    },
    /// A template that Meta approved; the only content outside the 24-hour window.
    Template(TemplateSend),
}

/// A file and what is said about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Media {
    /// Which kind.
    pub kind: MediaKind,
    /// Where it is.
    pub source: MediaSource,
    /// Up to 1024 characters; not for audio and stickers.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub caption: Option<String>,
    /// What a document is called.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub filename: Option<String>,
    /// Audio as a voice note: ogg with opus only.
    #[serde(default)]
    pub voice: bool,
}

/// The kinds of media.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaKind {
    /// JPEG or PNG, up to 5 MB.
    Image,
    /// MP4 or 3GPP, up to 16 MB.
    Video,
    /// AAC, AMR, MP3, MP4 or Opus, up to 16 MB.
    Audio,
    /// Any file, up to 100 MB.
    Document,
    /// WebP, 512 × 512.
    Sticker,
}

impl MediaKind {
    /// Meta's word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Document => "document",
            Self::Sticker => "sticker",
        }
    }
}

/// Where a file is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaSource {
    /// Uploaded before, by the same number.
    Id(String),
    /// At a URL, which Meta fetches; we never do.
    Link(String),
}

impl MediaSource {
    fn entry(&self) -> (&'static str, &str) {
        match self {
            Self::Id(id) => ("id", id),
            Self::Link(link) => ("link", link),
        }
    }
}

/// What can be tapped.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Interactive {
    /// One to three buttons.
    Buttons {
        /// As Meta writes it: `{type: text|image|video|document, …}`.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        header: Option<Value>,
        /// Up to 1024 characters.
        body: String,
        /// Up to 60 characters.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        footer: Option<String>,
        /// What can be chosen.
        buttons: Vec<Button>,
    },
    /// A menu.
    List {
        /// Up to 60 characters.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        header: Option<String>,
        /// Up to 4096 characters.
        body: String,
        /// Up to 60 characters.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        footer: Option<String>,
        /// What opens the menu, up to 20 characters.
        button: String,
        /// Ten rows in all.
        sections: Vec<Section>,
    },
    /// Any other kind (`cta_url`, `flow`, `location_request_message`, products, …), as Meta writes it.
    Other {
        /// The whole node.
        node: Value,
    },
}

/// One button.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Button {
    /// What comes back when it is tapped; up to 256 characters, unique in the message.
    pub id: String,
    /// What it says; up to 20 characters, unique in the message.
    pub title: String,
}

/// A part of a menu.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// Up to 24 characters; needed where there are several sections.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub title: Option<String>,
    /// What can be chosen.
    pub rows: Vec<Row>,
}

/// A line of a menu.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// What comes back when it is tapped; up to 200 characters, unique in the message.
    pub id: String,
    /// Up to 24 characters.
    pub title: String,
    /// Up to 72 characters.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub description: Option<String>,
}

/// Which template, in which language, filled with what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TemplateSend {
    /// The template's name.
    pub name: String,
    /// Exactly as it was approved, e.g. `pt_BR`.
    pub language: String,
    /// As Meta writes them: `{type: header|body|button, parameters: […]}`.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub components: Vec<Value>,
}

impl TemplateSend {
    /// A `body` component with texts in the order of the template's variables.
    pub fn body_texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> Value {
        let parameters: Vec<Value> = texts.into_iter().map(|text| json!({"type": "text", "text": text})).collect();
        json!({"type": "body", "parameters": parameters})
    }

    /// A `body` component with texts for the template's named variables.
    pub fn named_body_texts<'a>(texts: impl IntoIterator<Item = (&'a str, &'a str)>) -> Value {
        let named = |(name, text): (&str, &str)| json!({"type": "text", "parameter_name": name, "text": text});
        json!({"type": "body", "parameters": texts.into_iter().map(named).collect::<Vec<_>>()})
    }

    /// A `header` component with a text.
    pub fn header_text(text: &str) -> Value {
        json!({"type": "header", "parameters": [{"type": "text", "text": text}]})
    }

    /// A `header` component with a file. Only documents have a name.
    pub fn header_media(kind: MediaKind, source: &MediaSource, filename: Option<&str>) -> Value {
        let (key, place) = source.entry();
        let mut file = json!({ key: place });
        if let (MediaKind::Document, Some(name)) = (kind, filename) {
            file["filename"] = json!(name);
        }
        json!({"type": "header", "parameters": [{"type": kind.as_str(), kind.as_str(): file}]})
    }
}

/// The language of a template whose agent names none.
const LANGUAGE: &str = "en_US";

/// What agents say. A link in a text is shown with a preview.
impl From<message::Content> for Content {
    fn from(content: message::Content) -> Self {
        match content {
            message::Content::Text(body) => {
                let preview_url = body.contains("https://") || body.contains("http://");
                Self::Text { body, preview_url }
            }
            message::Content::Media(media) => Self::Media(media.into()),
            message::Content::Template(template) => Self::Template(template.into()),
        }
    }
}

impl From<message::MediaKind> for MediaKind {
    fn from(kind: message::MediaKind) -> Self {
        match kind {
            message::MediaKind::Image => Self::Image,
            message::MediaKind::Video => Self::Video,
            message::MediaKind::Audio => Self::Audio,
            message::MediaKind::Document => Self::Document,
        }
    }
}

/// WhatsApp refuses a caption for a sound and a name for anything but a document.
impl From<message::Media> for Media {
    fn from(media: message::Media) -> Self {
        let kind = MediaKind::from(media.kind);
        let caption = media.caption.filter(|_| kind != MediaKind::Audio);
        let filename = media.filename.filter(|_| kind == MediaKind::Document);
        Self { kind, source: MediaSource::Link(media.url), caption, filename, voice: false }
    }
}

/// Parameters named `1`, `2`, … go by their place, others by name; components that are there already stay as they are.
impl From<message::TemplateMessage> for TemplateSend {
    fn from(template: message::TemplateMessage) -> Self {
        let language = template.language.unwrap_or_else(|| LANGUAGE.into());
        if !template.components.is_empty() {
            return Self { name: template.name, language, components: template.components };
        }
        let place = |name: &str| name.parse::<u32>().ok();
        let mut parameters = template.parameters;
        parameters.sort_by_key(|(name, _)| place(name).unwrap_or(u32::MAX));
        let parameters: Vec<Value> = parameters
            .iter()
            .map(|(name, text)| match place(name) {
                Some(_) => json!({"type": "text", "text": text}),
                None => json!({"type": "text", "parameter_name": name, "text": text}),
            })
            .collect();
        let body = (!parameters.is_empty()).then(|| json!({"type": "body", "parameters": parameters}));
        Self { name: template.name, language, components: body.into_iter().collect() }
    }
}

impl Content {
    /// Meta's word for the type.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Text { .. } => "text",
            Self::Media(media) => media.kind.as_str(),
            Self::Location { .. } => "location",
            Self::Contacts { .. } => "contacts",
            Self::Reaction { .. } => "reaction",
            Self::Interactive { .. } => "interactive",
            Self::Template(_) => "template",
        }
    }

    /// The node of the type, as Meta writes it.
    pub fn node(&self) -> Value {
        match self {
            Self::Text { body, preview_url: true } => json!({"body": body, "preview_url": true}),
            Self::Text { body, preview_url: false } => json!({ "body": body }),
            Self::Media(media) => media_node(media),
            Self::Location { latitude, longitude, name, address } => {
                let mut node = with_some([("name", name), ("address", address)]);
                node.insert(String::from("latitude"), json!(latitude));
                node.insert(String::from("longitude"), json!(longitude));
                Value::Object(node)
            }
            Self::Contacts { contacts } => json!(contacts),
            Self::Reaction { message_id, emoji } => json!({"message_id": message_id, "emoji": emoji}),
            Self::Interactive { interactive } => interactive_node(interactive),
            Self::Template(template) => {
                let mut node = json!({"name": template.name, "language": {"code": template.language}});
                if !template.components.is_empty() {
                    node["components"] = json!(template.components);
                }
                node
            }
        }
    }
}

fn media_node(media: &Media) -> Value {
    let mut node = with_some([("caption", &media.caption), ("filename", &media.filename)]);
    let (key, place) = media.source.entry();
    node.insert(key.to_owned(), json!(place));
    if media.voice {
        node.insert(String::from("voice"), json!(true));
    }
    Value::Object(node)
}

fn interactive_node(interactive: &Interactive) -> Value {
    match interactive {
        Interactive::Buttons { header, body, footer, buttons } => {
            let reply = |button: &Button| json!({"type": "reply", "reply": {"id": button.id, "title": button.title}});
            let buttons: Vec<Value> = buttons.iter().map(reply).collect();
            tapped("button", header.clone(), body, footer.as_deref(), json!({ "buttons": buttons }))
        }
        Interactive::List { header, body, footer, button, sections } => {
            let header = header.as_ref().map(|text| json!({"type": "text", "text": text}));
            tapped("list", header, body, footer.as_deref(), json!({"button": button, "sections": sections}))
        }
        Interactive::Other { node } => node.clone(),
    }
}

fn tapped(kind: &str, header: Option<Value>, body: &str, footer: Option<&str>, action: Value) -> Value {
    let mut node = json!({"type": kind, "body": {"text": body}, "action": action});
    if let Some(header) = header {
        node["header"] = header;
    }
    if let Some(footer) = footer {
        node["footer"] = json!({ "text": footer });
    }
    node
}

fn with_some<const N: usize>(fields: [(&str, &Option<String>); N]) -> Map<String, Value> {
    let given = fields.into_iter().filter_map(|(name, text)| Some((name.to_owned(), json!(text.as_ref()?))));
    given.collect()
}
