//! Type-specific fields of a message, read from WhatsApp's element.
//!
//! Both directions are stored in one format. Any field may be missing or malformed; absent ones are
//! omitted.

use super::{
    card::StoredContactCard,
    words::{HeaderType, InteractiveType},
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// Declares optional fields that are omitted instead of null.
macro_rules! left_out {
    ($(#[$about:meta])* $vis:vis struct $name:ident { $($(#[$doc:meta])* $field:ident: $kind:ty,)* }) => {
        $(#[$about])*
        #[derive(Debug, Default, Serialize, ToSchema)]
        $vis struct $name {
            $(
                $(#[$doc])*
                #[serde(skip_serializing_if = "Option::is_none")]
                #[schema(nullable = false)]
                $field: Option<$kind>,
            )*
        }
    };
}

left_out! {
    /// Type-specific fields; only those that the message has.
    pub(super) struct MessageTypeData {
        /// Text of a text message.
        text: String,
        /// Caption of an image, video or document.
        caption: String,
        /// WhatsApp's id of the file.
        media_id: String,
        /// Type reported by WhatsApp or by the upload.
        mime_type: String,
        /// File name of a document.
        filename: String,
        latitude: f64,
        longitude: f64,
        location_name: String,
        location_address: String,
        template_name: String,
        template_language: String,
        /// Parameters of the body.
        template_params: Vec<String>,
        /// Type of the header.
        #[schema(value_type = HeaderType)]
        header_type: String,
        /// Text of the header, or URL or id of its file.
        header_params: String,
        header_filename: String,
        #[schema(value_type = InteractiveType)]
        interactive_type: String,
        body_text: String,
        header_text: String,
        footer_text: String,
        buttons: Vec<InteractiveButton>,
        sections: Vec<InteractiveSection>,
        /// Id of the chosen option.
        reply_option_id: String,
        /// Title of the chosen option.
        reply_option_title: String,
        list_button_text: String,
        /// Empty if the reaction was removed.
        reaction_emoji: String,
        /// WhatsApp's id of the message reacted to.
        reacted_to_message_id: String,
        contacts: Vec<StoredContactCard>,
    }
}

left_out! {
    /// A button.
    struct InteractiveButton {
        id: String,
        title: String,
    }
}

left_out! {
    /// A section of a list.
    struct InteractiveSection {
        title: String,
        rows: Vec<InteractiveRow>,
    }
}

left_out! {
    /// A row of a list.
    struct InteractiveRow {
        id: String,
        title: String,
        description: String,
    }
}

fn at(node: &Value, path: &str) -> Option<String> {
    node.pointer(path).and_then(Value::as_str).map(str::to_owned)
}

fn number(node: &Value, key: &str) -> Option<f64> {
    let value = node.get(key)?;
    value.as_f64().or_else(|| value.as_str()?.parse().ok())
}

fn list<'a>(node: &'a Value, path: &str) -> Option<impl Iterator<Item = &'a Value>> {
    Some(node.pointer(path)?.as_array()?.iter())
}

impl MessageTypeData {
    /// Reads the element of a message type.
    pub(super) fn of(kind: &str, node: &Value, content: &str) -> Self {
        match kind {
            "text" => Self { text: Some(content.to_owned()), ..Self::default() },
            "image" | "video" | "audio" | "document" | "sticker" => Self {
                caption: at(node, "/caption"),
                media_id: at(node, "/id"),
                mime_type: at(node, "/mime_type"),
                filename: at(node, "/filename"),
                ..Self::default()
            },
            "location" => Self {
                latitude: number(node, "latitude"),
                longitude: number(node, "longitude"),
                location_name: at(node, "/name"),
                location_address: at(node, "/address"),
                ..Self::default()
            },
            "contacts" => {
                let contacts = list(node, "").map(|cards| cards.map(StoredContactCard::of).collect());
                Self { contacts, ..Self::default() }
            }
            "reaction" => Self {
                reaction_emoji: Some(at(node, "/emoji").unwrap_or_default()),
                reacted_to_message_id: at(node, "/message_id"),
                ..Self::default()
            },
            // Reply to a template's button.
            "button" => Self {
                reply_option_id: at(node, "/payload"),
                reply_option_title: at(node, "/text"),
                interactive_type: Some("button".into()),
                ..Self::default()
            },
            "interactive" => Self::interactive(node),
            "template" => Self::template(node),
            _ => Self::default(),
        }
    }

    fn interactive(node: &Value) -> Self {
        let kind = node.get("type").and_then(Value::as_str).unwrap_or_default();
        let reply = |interactive_type: &str| Self {
            interactive_type: Some(interactive_type.into()),
            reply_option_id: at(node, &format!("/{kind}/id")),
            reply_option_title: at(node, &format!("/{kind}/title")),
            ..Self::default()
        };
        let button =
            |button: &Value| InteractiveButton { id: at(button, "/reply/id"), title: at(button, "/reply/title") };
        match kind {
            "button_reply" => reply("button"),
            "list_reply" => reply("list"),
            _ => Self {
                interactive_type: Some(kind.to_owned()).filter(|kind| kind == "button" || kind == "list"),
                body_text: at(node, "/body/text"),
                header_text: at(node, "/header/text"),
                footer_text: at(node, "/footer/text"),
                buttons: list(node, "/action/buttons").map(|buttons| buttons.map(button).collect()),
                sections: list(node, "/action/sections").map(|parts| parts.map(InteractiveSection::of).collect()),
                list_button_text: at(node, "/action/button"),
                ..Self::default()
            },
        }
    }

    fn template(node: &Value) -> Self {
        let part = |kind: &str| {
            let components = node.get("components").and_then(Value::as_array).into_iter().flatten();
            let found = components.filter(|one| one["type"].as_str().is_some_and(|own| own.eq_ignore_ascii_case(kind)));
            let found: Vec<&Value> = found.flat_map(|one| one["parameters"].as_array().into_iter().flatten()).collect();
            found
        };
        let body: Vec<String> = part("body").into_iter().filter_map(|one| at(one, "/text")).collect();
        let header = part("header").into_iter().next().cloned().unwrap_or_default();
        let kind = header["type"].as_str().filter(|kind| ["text", "image", "video", "document"].contains(kind));
        let file = kind.and_then(|kind| header.get(kind)).filter(|file| file.is_object());
        Self {
            template_name: at(node, "/name"),
            template_language: at(node, "/language/code"),
            template_params: (!body.is_empty()).then_some(body),
            header_type: kind.map(str::to_owned),
            header_params: match file {
                Some(file) => at(file, "/link").or_else(|| at(file, "/id")),
                None => at(&header, "/text"),
            },
            header_filename: file.and_then(|file| at(file, "/filename")),
            ..Self::default()
        }
    }
}

impl InteractiveSection {
    fn of(section: &Value) -> Self {
        let row = |row: &Value| InteractiveRow {
            id: at(row, "/id"),
            title: at(row, "/title"),
            description: at(row, "/description"),
        };
        Self { title: at(section, "/title"), rows: list(section, "/rows").map(|rows| rows.map(row).collect()) }
    }
}
