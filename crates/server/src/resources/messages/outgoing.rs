//! Messages in requests, and their conversion to WhatsApp's format.
//!
//! Clients send flat fields for all types; fields of other types are ignored. WhatsApp's limits
//! (`domain::outgoing`) are checked here and reported with the client's field names.

use super::{
    card::OutgoingContactCard,
    template::{self, public_url},
    words::{HeaderType, InteractiveType, MessageType},
};
use crate::api::{PhoneNumber, Problems, WindowTemplateField};
use domain::{
    Problem, file,
    message::{self, MediaKind},
    outgoing::{self, MISSING},
};
use gateways::whatsapp::{
    Content,
    send::{Button, Interactive, Media, MediaSource, Row, Section, TemplateSend},
};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// A message to send. The relevant fields depend on `message_type`.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub(super) struct OutgoingMessage {
    /// Recipient of a message outside a conversation, unless given in the query. Ignored in a
    /// conversation.
    pub(super) phone_number: Option<PhoneNumber>,
    /// Text of a text message. For other types: the text shown in the conversation, derived from
    /// the message if omitted. A template with a known text is shown with that text.
    #[schema(max_length = 4096)]
    pub(super) content: Option<String>,
    #[schema(value_type = Option<MessageType>, default = "text")]
    pub(super) message_type: Option<String>,
    /// File of an image, video, audio or document: a public http or https URL, fetched by WhatsApp.
    #[schema(max_length = 2048)]
    media_url: Option<String>,
    /// WhatsApp's id of an uploaded file, instead of a URL.
    #[schema(max_length = 200)]
    media_id: Option<String>,
    /// A file instead of a URL; only in a `multipart/form-data` body, as `message[media_file]`.
    #[schema(value_type = Option<String>, format = Binary)]
    pub(super) media_file: Option<String>,
    /// Shown below an image, video or document.
    #[schema(max_length = 1024)]
    caption: Option<String>,
    /// File name of a document.
    #[schema(max_length = 240)]
    pub(super) filename: Option<String>,
    latitude: Option<f64>,
    longitude: Option<f64>,
    #[schema(max_length = 1000)]
    location_name: Option<String>,
    #[schema(max_length = 1000)]
    location_address: Option<String>,
    /// Derived from `buttons` or `sections` if omitted.
    #[schema(value_type = Option<InteractiveType>)]
    interactive_type: Option<String>,
    /// Text of an interactive message; default `content`.
    #[schema(max_length = 4096)]
    body_text: Option<String>,
    #[schema(max_length = 60)]
    header_text: Option<String>,
    #[schema(max_length = 60)]
    footer_text: Option<String>,
    /// One to three, with unique ids and titles.
    buttons: Option<Vec<InteractiveButton>>,
    /// At most ten rows in total.
    sections: Option<Vec<InteractiveSection>>,
    /// Label of the button that opens the list.
    #[schema(max_length = 20)]
    list_button_text: Option<String>,
    #[schema(max_length = 512)]
    template_name: Option<String>,
    /// Approved language; default `en_US`.
    #[schema(max_length = 20)]
    template_language: Option<String>,
    template_params: Option<template::MessageTemplateParameters>,
    /// Type of the template's header.
    #[schema(value_type = Option<HeaderType>)]
    header_type: Option<String>,
    /// Text of the header, or URL or media id of its file.
    #[schema(max_length = 2048)]
    header_params: Option<String>,
    /// File name of a header's document.
    #[schema(max_length = 240)]
    header_filename: Option<String>,
    /// Empty removes the reaction.
    #[schema(max_length = 64)]
    reaction_emoji: Option<String>,
    /// A message of this conversation: its id here or at WhatsApp.
    #[schema(max_length = 512)]
    reacted_to_message_id: Option<String>,
    #[schema(min_items = 1, max_items = 257)]
    contacts: Option<Vec<OutgoingContactCard>>,
    /// Template that carries a text message when the 24-hour window is closed. The message is then
    /// stored and returned as a template. Without it such a message is refused.
    pub(super) outside_window_template: Option<WindowTemplateField>,
}

/// A button of an interactive message.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(as = NewInteractiveButton)]
struct InteractiveButton {
    /// Returned when it is tapped.
    id: Option<String>,
    /// Label, at most 20 characters.
    title: Option<String>,
}

/// A section of a list.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(as = NewInteractiveSection)]
struct InteractiveSection {
    /// Required if there are several sections.
    title: Option<String>,
    rows: Option<Vec<InteractiveRow>>,
}

/// A row of a list.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(as = NewInteractiveRow)]
struct InteractiveRow {
    /// Returned when it is tapped.
    id: Option<String>,
    title: Option<String>,
    description: Option<String>,
}

/// A message before the database is consulted.
#[derive(Debug)]
pub(super) enum Draft {
    /// Complete.
    Ready(Content),
    /// Reaction to the message with this id.
    Reaction { to: String, emoji: String },
    /// File of the request.
    File { kind: MediaKind, caption: Option<String> },
}

/// Draft, or problems with pointers into the message.
type DraftResult = Result<Draft, Vec<Problem>>;

fn one(path: &str, code: &'static str, message: &str) -> Vec<Problem> {
    vec![Problem::new(path, code, message)]
}

fn given(text: Option<&String>) -> Option<&str> {
    text.map(String::as_str).filter(|text| !text.trim().is_empty())
}

impl OutgoingMessage {
    /// Reports problems of a message that no schema can express.
    pub(super) fn check(body: &Value, problems: &mut Problems) {
        let message = &body["message"];
        let Ok(read) = serde_json::from_value::<Self>(message.clone()) else { return };
        for problem in read.draft().err().into_iter().flatten() {
            let path = format!("/message{}", problem.path);
            if !problems.contains(&path) {
                problems.add(path, problem.code, problem.message);
            }
        }
    }

    /// Text for the conversation, if the client gave one.
    pub(super) fn shown(&self) -> Option<&str> {
        given(self.content.as_ref())
    }

    /// Builds the message without the database or WhatsApp.
    pub(super) fn draft(&self) -> DraftResult {
        let kind = self.message_type.as_deref().unwrap_or("text");
        if let Some(kind) = MediaKind::parse(kind) {
            return self.media(kind);
        }
        let content = match kind {
            "text" => message::Content::Text(given(self.content.as_ref()).unwrap_or_default().to_owned()).into(),
            "location" => self.location()?,
            "contacts" => {
                let cards = self.contacts.iter().flatten();
                Content::Contacts { contacts: cards.map(OutgoingContactCard::to_meta).collect() }
            }
            "interactive" => Content::Interactive { interactive: self.interactive()? },
            "template" => Content::Template(self.template()?),
            "reaction" => return self.reaction(),
            _ => return Err(Vec::new()),
        };
        self.checked(&content).map(|()| Draft::Ready(content))
    }

    /// Fails if WhatsApp would refuse it.
    fn checked(&self, content: &Content) -> Result<(), Vec<Problem>> {
        let kind = content.kind();
        let node = content.node();
        let problems: Vec<Problem> =
            outgoing::problems(kind, &node).into_iter().map(|problem| self.named(kind, &node, &problem)).collect();
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    /// Translates a problem of WhatsApp's element to the client's fields.
    fn named(&self, kind: &str, node: &Value, problem: &Problem) -> Problem {
        let at = problem.path.strip_prefix(&format!("/{kind}")).unwrap_or(&problem.path);
        let path = match (kind, at) {
            ("text", _) => "/content".into(),
            (_, "/link") => "/media_url".into(),
            (_, "/id") => "/media_id".into(),
            ("location", "/name" | "/address") => at.replace('/', "/location_"),
            ("interactive", "/body/text") => "/body_text".into(),
            ("interactive", "/header/text") => "/header_text".into(),
            ("interactive", "/footer/text") => "/footer_text".into(),
            ("interactive", "/action/button") => "/list_button_text".into(),
            ("interactive", _) => at.replace("/action", "").replace("/reply/", "/"),
            ("template", "/name") => "/template_name".into(),
            ("template", _) => "/template_language".into(),
            ("contacts", _) => format!("/contacts{}", self.flat(at)),
            _ => at.to_owned(),
        };
        let about = problem.path.trim_start_matches('/').replace('/', ".");
        let message = problem.message.strip_prefix(&about).map_or(problem.message.as_str(), str::trim_start);
        let empty = node.pointer(at).and_then(Value::as_str).is_some_and(str::is_empty);
        if problem.code == MISSING || empty {
            return Problem::new(path, "blank", "can't be blank");
        }
        Problem::new(path, "invalid", message)
    }

    /// A card's name is flat or in `name`, as the client sent it.
    fn flat(&self, at: &str) -> String {
        let card = at.split('/').nth(1).and_then(|place| self.contacts.as_ref()?.get(place.parse::<usize>().ok()?));
        if card.is_some_and(OutgoingContactCard::has_nested_name) { at.to_owned() } else { at.replace("/name/", "/") }
    }

    fn media(&self, kind: MediaKind) -> DraftResult {
        let url = given(self.media_url.as_ref());
        let id = given(self.media_id.as_ref());
        let file = given(self.media_file.as_ref()).is_some();
        let sources = [url.is_some(), id.is_some(), file];
        if sources.into_iter().filter(|given| *given).count() > 1 {
            let why = "give one of media_url, media_id and media_file";
            return Err(one(if url.is_some() { "/media_url" } else { "/media_id" }, "ambiguous", why));
        }
        let caption = given(self.caption.as_ref()).map(str::to_owned);
        if kind == MediaKind::Audio && caption.is_some() {
            return Err(one("/caption", "invalid", "is not for this type"));
        }
        let source = match (url, id) {
            (Some(url), _) => {
                public_url("/media_url", url)?;
                MediaSource::Link(url.to_owned())
            }
            (None, Some(id)) => MediaSource::Id(id.to_owned()),
            (None, None) if file => return Ok(Draft::File { kind, caption }),
            (None, None) => return Err(one("/media_url", "blank", "can't be blank; or give media_id or media_file")),
        };
        let filename = given(self.filename.as_ref()).filter(|_| kind == MediaKind::Document).map(str::to_owned);
        let content = Content::Media(Media { kind: kind.into(), source, caption, filename, voice: false });
        self.checked(&content).map(|()| Draft::Ready(content))
    }

    fn location(&self) -> Result<Content, Vec<Problem>> {
        let mut missing = Vec::new();
        for (name, number) in [("latitude", self.latitude), ("longitude", self.longitude)] {
            if number.is_none() {
                missing.push(Problem::new(format!("/{name}"), "blank", "can't be blank"));
            }
        }
        let (Some(latitude), Some(longitude)) = (self.latitude, self.longitude) else { return Err(missing) };
        let text = |text: &Option<String>| given(text.as_ref()).map(str::to_owned);
        let (name, address) = (text(&self.location_name), text(&self.location_address));
        Ok(Content::Location { latitude, longitude, name, address })
    }

    fn interactive(&self) -> Result<Interactive, Vec<Problem>> {
        let text = |text: &Option<String>| given(text.as_ref()).map(str::to_owned);
        let body = text(&self.body_text).or_else(|| text(&self.content)).unwrap_or_default();
        let (header, footer) = (text(&self.header_text), text(&self.footer_text));
        let kind = match (self.interactive_type.as_deref(), &self.buttons, &self.sections) {
            (Some(kind), _, _) => kind,
            (None, Some(_), None) => "button",
            (None, None, Some(_)) => "list",
            _ => return Err(one("/interactive_type", "blank", "can't be blank")),
        };
        let own = |text: &Option<String>| text.clone().unwrap_or_default();
        if kind == "button" {
            let buttons = self.buttons.iter().flatten();
            let buttons = buttons.map(|button| Button { id: own(&button.id), title: own(&button.title) }).collect();
            let header = header.map(|text| serde_json::json!({"type": "text", "text": text}));
            return Ok(Interactive::Buttons { header, body, footer, buttons });
        }
        let row = |row: &InteractiveRow| {
            let description = given(row.description.as_ref()).map(str::to_owned);
            Row { id: own(&row.id), title: own(&row.title), description }
        };
        let section = |section: &InteractiveSection| Section {
            title: text(&section.title),
            rows: section.rows.iter().flatten().map(row).collect(),
        };
        let sections = self.sections.iter().flatten().map(section).collect();
        Ok(Interactive::List { header, body, footer, button: own(&self.list_button_text), sections })
    }

    fn template(&self) -> Result<TemplateSend, Vec<Problem>> {
        let header = template::Header {
            kind: self.header_type.as_deref(),
            value: given(self.header_params.as_ref()),
            filename: given(self.header_filename.as_ref()),
        };
        let components = template::components(self.template_params.as_ref(), &header)?;
        let name =
            given(self.template_name.as_ref()).ok_or_else(|| one("/template_name", "blank", "can't be blank"))?;
        let language = given(self.template_language.as_ref()).unwrap_or("en_US").to_owned();
        Ok(TemplateSend { name: name.to_owned(), language, components })
    }

    fn reaction(&self) -> DraftResult {
        let mut problems = Vec::new();
        if given(self.reacted_to_message_id.as_ref()).is_none() {
            problems.extend(one("/reacted_to_message_id", "blank", "can't be blank"));
        }
        if self.reaction_emoji.is_none() {
            problems.extend(one("/reaction_emoji", "blank", "can't be blank; empty takes the reaction away"));
        }
        match (&self.reacted_to_message_id, &self.reaction_emoji) {
            (Some(to), Some(emoji)) if problems.is_empty() => {
                Ok(Draft::Reaction { to: to.trim().to_owned(), emoji: emoji.trim().to_owned() })
            }
            _ => Err(problems),
        }
    }
}

/// Problem of a file for a message of this kind.
pub(super) fn file_problem(kind: MediaKind, size: usize, mime_type: Option<&str>) -> Option<Problem> {
    let most = file::largest(kind);
    let (code, why) = match (size, mime_type) {
        (0, _) => ("blank", "the file is empty".to_owned()),
        (size, _) if size > most => ("too_large", format!("must be at most {} MiB", most >> 20)),
        (_, None) => ("unsupported_type", format!("must be {}", file::types(kind))),
        _ => return None,
    };
    Some(Problem::new("/message/media_file", code, why))
}

/// Wraps the message of a form.
pub(super) fn wrapped(message: Map<String, Value>) -> Value {
    Value::Object(Map::from_iter([("message".to_owned(), Value::Object(message))]))
}
