//! API representation of a message.

use super::{
    data::MessageTypeData,
    words::{MessageDirection, MessageType, ProcessingStatus},
};
use crate::{api::Time, auth::ProjectContext};
use domain::{
    message::{self, MessageStatus},
    message_change, wording,
};
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
    /// Null if the contact hides it.
    phone_number: Option<String>,
    #[schema(value_type = MessageType)]
    message_type: &'static str,
    /// Text as shown in the conversation.
    content: String,
    #[schema(value_type = MessageDirection)]
    direction: String,
    /// `pending`, `sent`, `delivered`, `read`, `played` or `failed`; inbound: `received`, then
    /// `read`.
    status: String,
    /// `pending`: not sent yet, or its file is still being downloaded from WhatsApp.
    #[schema(value_type = ProcessingStatus)]
    processing_status: &'static str,
    /// Meta's id; null until accepted.
    whatsapp_message_id: Option<String>,
    /// `error`: failure of the send. `media_error`: `media_unavailable`, `media_refused`,
    /// `media_too_large` or `media_altered`. `whatsapp_type`: WhatsApp's type, if `message_type`
    /// has no equivalent.
    metadata: Map<String, Value>,
    /// URL of the file. Inbound: a link without a key, valid for a day and renewed in each answer;
    /// null until downloaded. Outbound by URL: that URL.
    media_url: Option<String>,
    message_type_data: MessageTypeData,
    /// Time of the contact's newest edit.
    edited_at: Option<Time>,
    /// Texts before the edits, oldest first.
    earlier_texts: Vec<EarlierText>,
    /// Time at which the contact deleted the message. Its content is empty then.
    deleted_at: Option<Time>,
    created_at: Time,
    updated_at: Time,
}

/// Text of a message before an edit.
#[derive(Serialize, ToSchema)]
pub(crate) struct EarlierText {
    content: String,
    /// Time at which the contact wrote it.
    sent_at: Time,
}

impl WhatsappMessage {
    pub(crate) fn of(ctx: &ProjectContext, row: &MessageRow, phone_number: Option<&str>) -> Self {
        let raw: Value = row.raw.as_deref().and_then(|raw| serde_json::from_str(raw).ok()).unwrap_or_default();
        let node = raw.get(&row.kind).cloned().unwrap_or_default();
        let content = match row.deleted_at {
            Some(_) => String::new(),
            None => wording::of_stored(&row.content, &row.kind, row.raw.as_deref()),
        };
        let earlier = message_change::earlier_texts(row.earlier_texts.as_deref());
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
            Some(Media::Stored(_)) => Some(ctx.media_url(row.id)),
            _ => node.get("link").and_then(Value::as_str).map(str::to_owned),
        };
        let message_type = message::contract_kind(&row.kind);
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
            edited_at: row.edited_at.map(Time),
            earlier_texts: earlier
                .into_iter()
                .map(|text| EarlierText { content: text.content, sent_at: text.sent_at.into() })
                .collect(),
            deleted_at: row.deleted_at.map(Time),
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
        }
    }
}
