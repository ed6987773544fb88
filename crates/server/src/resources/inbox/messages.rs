//! `GET /inbox/{conversation_id}/messages`

use super::view::MessageAuthorKind;
use crate::{
    ApiError,
    api::{Query, Time, cursor::CursorMeta},
    auth::ProjectContext,
    found::Found,
    resources::messages::WhatsappMessage,
};
use axum::Json;
use domain::author::Author;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{
    conversations::ConversationRow,
    inbox::{self, PlaceRow},
    messages::MessageRow,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Messages of one answer.
const LENGTH: usize = 50;

#[derive(Deserialize, IntoParams)]
pub(super) struct Place {
    /// `meta.before` of the previous answer.
    #[param(minimum = 1, maximum = 2_147_483_647)]
    before: Option<i64>,
}

/// Messages, oldest first.
#[derive(Serialize, ToSchema)]
pub(super) struct InboxMessages {
    data: Vec<InboxMessage>,
    meta: CursorMeta,
}

/// A message with its author and the times of its delivery.
#[derive(Serialize, ToSchema)]
struct InboxMessage {
    #[serde(flatten)]
    message: WhatsappMessage,
    /// Place in the conversation; gaps are possible.
    #[schema(minimum = 1)]
    seq: i64,
    by: MessageAuthor,
    /// WhatsApp's id of the message that this one answers.
    reply_to: Option<String>,
    /// Times by WhatsApp's clock.
    sent_at: Option<Time>,
    delivered_at: Option<Time>,
    read_at: Option<Time>,
}

/// Author of a message.
#[derive(Serialize, ToSchema)]
struct MessageAuthor {
    #[schema(value_type = MessageAuthorKind)]
    kind: &'static str,
    /// With `person`.
    user_id: Option<Uuid>,
    /// With `agent`.
    execution_id: Option<Uuid>,
}

impl MessageAuthor {
    fn of(place: &PlaceRow) -> Self {
        let user_id = match place.author {
            Some(Author::User(user)) => Some(user.uuid()),
            _ => None,
        };
        Self { kind: place.origin.as_str(), user_id, execution_id: place.execution_id.map(|id| id.uuid()) }
    }
}

/// Id in the `context` of a message, as WhatsApp sends and takes it.
fn quoted(row: &MessageRow) -> Option<String> {
    let raw: Value = serde_json::from_str(row.raw.as_deref()?).ok()?;
    let context = &raw["context"];
    context["id"].as_str().or_else(|| context["message_id"].as_str()).map(str::to_owned)
}

/// List the messages of a conversation with their authors
///
/// The newest 50, or those before a place; within an answer oldest first.
#[utoipa::path(
    get, path = "/inbox/{conversation_id}/messages", operation_id = "list_inbox_messages", tag = "Inbox",
    params(("conversation_id", description = "Conversation id."), Place),
    responses((status = 200, description = "Messages.", body = InboxMessages))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(conversation): Found<ConversationRow>,
    Query(place): Query<Place>,
) -> Result<Json<InboxMessages>, ApiError> {
    let before = place.before.unwrap_or(i64::MAX);
    let limit = i64::try_from(LENGTH).unwrap_or(i64::MAX) + 1;
    let mut rows = {
        let mut reader = ctx.store.read().await?;
        inbox::messages(&mut reader.conn(), ctx.project, conversation.id, before, limit).await?
    };
    let has_more = rows.len() > LENGTH;
    rows.truncate(LENGTH);
    let first = rows.last().filter(|_| has_more).map(|(_, place)| place.seq.to_string());
    let number = conversation.phone_number.as_deref();
    let data = rows.iter().rev().map(|(row, place)| InboxMessage {
        message: WhatsappMessage::of(&ctx, row, number),
        seq: place.seq,
        by: MessageAuthor::of(place),
        reply_to: quoted(row),
        sent_at: place.sent_at.map(Time),
        delivered_at: place.delivered_at.map(Time),
        read_at: place.read_at.map(Time),
    });
    Ok(Json(InboxMessages { data: data.collect(), meta: CursorMeta { before: first } }))
}
