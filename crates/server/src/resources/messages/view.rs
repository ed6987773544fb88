//! How a message is shown.

use super::data::MessageTypeData;
use crate::api::{Time, words};
use domain::wording;
use serde::Serialize;
use serde_json::{Map, Value, json};
use store::messages::MessageRow;
use utoipa::ToSchema;
use uuid::Uuid;

/// A message of a conversation.
#[derive(Serialize, ToSchema)]
pub(crate) struct WhatsappMessage {
    id: Uuid,
    /// Null where the person hides it.
    phone_number: Option<String>,
    #[schema(value_type = MessageType)]
    message_type: &'static str,
    /// What a person would read.
    content: String,
    #[schema(value_type = MessageDirection)]
    direction: String,
    /// `pending`, `sent`, `delivered`, `read`, `played` or `failed`; inbound: `received`, then `read`.
    status: String,
    #[schema(value_type = ProcessingStatus)]
    processing_status: &'static str,
    /// Meta's id; null until accepted.
    whatsapp_message_id: Option<String>,
    /// `error`: why it failed; `whatsapp_type`: WhatsApp's own word for the type, where it has no place in `message_type`.
    metadata: Map<String, Value>,
    /// Where WhatsApp fetched the file that was sent.
    media_url: Option<String>,
    message_type_data: MessageTypeData,
    created_at: Time,
    updated_at: Time,
}

words!(
    MessageType = "text",
    "image",
    "video",
    "audio",
    "document",
    "template",
    "location",
    "interactive",
    "reaction",
    "contacts"
);
words!(MessageDirection = "inbound", "outbound");
words!(ProcessingStatus = "pending", "processed");

/// The type that clients know: WhatsApp has more.
fn shown(kind: &str) -> &'static str {
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

impl WhatsappMessage {
    pub(super) fn of(row: &MessageRow, phone_number: Option<&str>) -> Self {
        let raw: Value = row.raw.as_deref().and_then(|raw| serde_json::from_str(raw).ok()).unwrap_or_default();
        let node = raw.get(&row.kind).cloned().unwrap_or_default();
        let content = if row.content.is_empty() { wording::of(&row.kind, &node) } else { row.content.clone() };
        let mut metadata = Map::new();
        if let Some(error) = row.error.as_deref().and_then(|error| serde_json::from_str::<Value>(error).ok()) {
            metadata.insert("error".into(), error);
        }
        let message_type = shown(&row.kind);
        if message_type != row.kind {
            metadata.insert("whatsapp_type".into(), json!(row.kind));
        }
        Self {
            id: row.id.uuid(),
            phone_number: phone_number.map(str::to_owned),
            message_type,
            message_type_data: MessageTypeData::of(&row.kind, &node, &content),
            content,
            direction: row.direction.clone(),
            status: row.status.clone(),
            processing_status: if row.status == "pending" { "pending" } else { "processed" },
            whatsapp_message_id: row.wamid.clone(),
            metadata,
            media_url: node.get("link").and_then(Value::as_str).map(str::to_owned),
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
        }
    }
}
