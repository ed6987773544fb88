//! `GET /whatsapp_conversations/{conversation_id}/whatsapp_messages`

use super::view::WhatsappMessage;
use crate::{
    ApiError,
    api::{List, Page},
    auth::ProjectContext,
    found::Found,
};
use store::{conversations, messages};

/// List a conversation's messages
///
/// Newest first, in both directions, with their statuses.
#[utoipa::path(
    get, path = "/whatsapp_conversations/{conversation_id}/whatsapp_messages", operation_id = "list_whatsapp_messages",
    tag = "WhatsApp Messages", params(("conversation_id", description = "Conversation id."), List),
    responses((status = 200, description = "One page of messages.", body = Page<WhatsappMessage>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(conversation): Found<conversations::ConversationRow>,
    list: List,
) -> Result<Page<WhatsappMessage>, ApiError> {
    let (limit, offset) = list.range();
    let mut reader = ctx.store.read().await?;
    let mut conn = reader.conn();
    let (rows, total) = messages::list(&mut conn, ctx.project, conversation.id, limit, offset).await?;
    let number = conversation.phone_number.as_deref();
    Ok(list.page(rows.iter().map(|row| WhatsappMessage::of(&ctx, row, number)).collect(), total))
}
