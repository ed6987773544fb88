//! How a message is shown.

use super::data::MessageTypeData;
use crate::{
    api::{Time, words},
    auth::ProjectContext,
};
use domain::{message::MessageStatus, wording};
use runtime::media::Media;
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
    /// `pending`: it is still to be sent, or its file is still being fetched from WhatsApp.
    #[schema(value_type = ProcessingStatus)]
    processing_status: &'static str,
    /// Meta's id; null until accepted.
    whatsapp_message_id: Option<String>,
    /// `error`: why it failed; `media_error`: why its file cannot be had, `media_unavailable`, `media_refused`, `media_too_large` or
    /// `media_altered`; `whatsapp_type`: WhatsApp's own word for the type, where it has no place in `message_type`.
    metadata: Map<String, Value>,
    /// Where the file can be read. What a person sent: a link of ours that needs no key and is good for a day, with a fresh one in each
    /// answer; null until the file was fetched from WhatsApp. What was sent by a URL: that URL.
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
    pub(super) fn of(ctx: &ProjectContext, row: &MessageRow, phone_number: Option<&str>) -> Self {
        let raw: Value = row.raw.as_deref().and_then(|raw| serde_json::from_str(raw).ok()).unwrap_or_default();
        let node = raw.get(&row.kind).cloned().unwrap_or_default();
        let content = if row.content.is_empty() { wording::of(&row.kind, &node) } else { row.content.clone() };
        let mut metadata = Map::new();
        if let Some(error) = row.error.as_deref().and_then(|error| serde_json::from_str::<Value>(error).ok()) {
            metadata.insert("error".into(), error);
        }
        let media = Media::of(row);
        if let Some(Media::Lost { code, message }) = &media {
            metadata.insert("media_error".into(), json!({"code": code, "message": message}));
        }
        let waits = row.status == MessageStatus::Pending || media == Some(Media::Waiting);
        let media_url = match media {
            Some(Media::Kept(_)) => Some(ctx.media_url(row.id)),
            _ => node.get("link").and_then(Value::as_str).map(str::to_owned),
        };
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
            direction: row.direction.to_string(),
            status: row.status.to_string(),
            processing_status: if waits { "pending" } else { "processed" },
            whatsapp_message_id: row.wamid.clone(),
            metadata,
            media_url,
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
        }
    }
}
