//! `GET /whatsapp_conversations/{conversation_id}`

use super::view::WhatsappConversation;
use crate::{
    ApiError,
    api::Data,
    auth::{ProjectContext, path_id},
};
use axum::extract::Path;
use store::conversations;

/// Read one conversation
#[utoipa::path(
    get, path = "/whatsapp_conversations/{conversation_id}", operation_id = "get_whatsapp_conversation",
    tag = "WhatsApp Conversations", params(("conversation_id", description = "Conversation id.")),
    responses((status = 200, description = "The conversation.", body = Data<WhatsappConversation>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Path(conversation_id): Path<String>,
) -> Result<Data<WhatsappConversation>, ApiError> {
    let id = path_id(&conversation_id, "Conversation")?;
    let mut reader = ctx.store.read().await?;
    let row = conversations::find(&mut reader.conn(), ctx.project, id).await?;
    Ok(Data { data: WhatsappConversation::of(&row.ok_or(ApiError::NotFound("Conversation"))?) })
}
