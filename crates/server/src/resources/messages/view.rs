//! How a message is shown.

use crate::api::{Time, words};
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
    message_type: String,
    /// What a person would read.
    content: String,
    #[schema(value_type = MessageDirection)]
    direction: String,
    /// `pending`, `sent`, `delivered`, `read` or `failed`; inbound: `received`.
    status: String,
    #[schema(value_type = ProcessingStatus)]
    processing_status: &'static str,
    /// Meta's id; null until accepted.
    whatsapp_message_id: Option<String>,
    metadata: Map<String, Value>,
    media_url: Option<String>,
    /// What depends on the type.
    message_type_data: Map<String, Value>,
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

impl WhatsappMessage {
    pub(super) fn of(row: &MessageRow, phone_number: Option<&str>) -> Self {
        let object = |key: &str, value: Value| Map::from_iter([(key.to_owned(), value)]);
        let error = row.error.as_deref().and_then(|error| serde_json::from_str::<Value>(error).ok());
        Self {
            id: row.id.uuid(),
            phone_number: phone_number.map(str::to_owned),
            message_type: row.kind.clone(),
            content: row.content.clone(),
            direction: row.direction.clone(),
            status: row.status.clone(),
            processing_status: if row.status == "pending" { "pending" } else { "processed" },
            whatsapp_message_id: row.wamid.clone(),
            metadata: error.map_or_else(Map::new, |error| object("error", error)),
            media_url: None,
            message_type_data: if row.kind == "text" { object("text", json!(row.content)) } else { Map::new() },
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
        }
    }
}
