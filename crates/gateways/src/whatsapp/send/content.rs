//! Contents of messages (docs/spec/whatsapp-cloud-api.md 2.1 and 2.2).
//!
//! The serialized form is our own, for storage. [`Content::node`] builds Meta's form.

use domain::message;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Content {
    Text {
        /// Up to 4096 characters.
        body: String,
        /// Shows a preview of the first link.
        #[serde(default)]
        preview_url: bool,
    },
    Media(Media),
    Location {
        /// −90 to 90.
        latitude: f64,
        /// −180 to 180.
        longitude: f64,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        name: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        address: Option<String>,
    },
    /// Contact cards in Meta's form: `{name: {formatted_name, …}, phones: […]}`.
    Contacts {
        /// 1 to 257.
        contacts: Vec<Value>,
    },
    Reaction {
        /// Meta's id.
        message_id: String,
        /// Empty removes the reaction.
        emoji: String,
    },
    Interactive {
        interactive: Interactive,
    },
    /// An approved template; the only content outside of the service window.
    Template(TemplateSend),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Media {
    pub kind: MediaKind,
    pub source: MediaSource,
    /// Up to 1024 characters; not for audio and stickers.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub caption: Option<String>,
    /// For documents only.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub filename: Option<String>,
    /// Sends audio as a voice note: ogg with opus only.
    #[serde(default)]
    pub voice: bool,
}

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

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaSource {
    /// Uploaded by the same number.
    Id(String),
    /// A URL that Meta fetches; this server never does.
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

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Interactive {
    /// One to three.
    Buttons {
        /// Meta's form: `{type: text|image|video|document, …}`.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        header: Option<Value>,
        /// Up to 1024 characters.
        body: String,
        /// Up to 60 characters.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        footer: Option<String>,
        buttons: Vec<Button>,
    },
    List {
        /// Up to 60 characters.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        header: Option<String>,
        /// Up to 4096 characters.
        body: String,
        /// Up to 60 characters.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        footer: Option<String>,
        /// Opens the menu; up to 20 characters.
        button: String,
        /// At most ten rows in all.
        sections: Vec<Section>,
    },
    /// Any other kind (`cta_url`, `flow`, `location_request_message`, products, …) in Meta's form.
    Other { node: Value },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Button {
    /// Returned in the reply; up to 256 characters, unique in the message.
    pub id: String,
    /// Up to 20 characters, unique in the message.
    pub title: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// Up to 24 characters; required with several sections.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub title: Option<String>,
    pub rows: Vec<Row>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Returned in the reply; up to 200 characters, unique in the message.
    pub id: String,
    /// Up to 24 characters.
    pub title: String,
    /// Up to 72 characters.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub description: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TemplateSend {
    pub name: String,
    /// Exactly as approved, for example `pt_BR`.
    pub language: String,
    /// Meta's form: `{type: header|body|button, parameters: […]}`.
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

    pub fn header_text(text: &str) -> Value {
        json!({"type": "header", "parameters": [{"type": "text", "text": text}]})
    }

    /// A `header` component with a file. Only documents take a name.
    pub fn header_media(kind: MediaKind, source: &MediaSource, filename: Option<&str>) -> Value {
        let (key, place) = source.entry();
        let mut file = json!({ key: place });
        if let (MediaKind::Document, Some(name)) = (kind, filename) {
            file["filename"] = json!(name);
        }
        json!({"type": "header", "parameters": [{"type": kind.as_str(), kind.as_str(): file}]})
    }
}

/// The default language of templates.
const LANGUAGE: &str = "en_US";

/// Contents that agents send. A link in a text gets a preview.
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

/// WhatsApp refuses captions of audio and names of anything but documents.
impl From<message::Media> for Media {
    fn from(media: message::Media) -> Self {
        let kind = MediaKind::from(media.kind);
        let caption = media.caption.filter(|_| kind != MediaKind::Audio);
        let filename = media.filename.filter(|_| kind == MediaKind::Document);
        Self { kind, source: MediaSource::Link(media.url), caption, filename, voice: false }
    }
}

/// Parameters named `1`, `2`, … are positional, others are named. Existing components stay as they
/// are.
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

    /// The node of the type in Meta's form.
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
