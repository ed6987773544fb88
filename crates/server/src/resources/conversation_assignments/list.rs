//! `GET /whatsapp_conversations/{whatsapp_conversation_id}/conversation_assignments`

use super::view::{self, ConversationAssignment};
use crate::{
    ApiError,
    api::{List, Page},
    auth::{ProjectContext, path_id},
};
use axum::extract::Path;
use store::conversation_assignments;

/// List a conversation's assignments
#[utoipa::path(
    get, path = "/whatsapp_conversations/{whatsapp_conversation_id}/conversation_assignments",
    operation_id = "list_conversation_assignments", tag = "Conversation Assignments",
    params(("whatsapp_conversation_id", description = "Conversation id."), List),
    responses((status = 200, description = "One page of assignments.", body = Page<ConversationAssignment>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Path(conversation_id): Path<String>,
    list: List,
) -> Result<Page<ConversationAssignment>, ApiError> {
    let conversation = path_id(&conversation_id, "Conversation")?;
    let (limit, offset) = list.range();
    let mut reader = ctx.store.read().await?;
    let mut conn = reader.conn();
    view::conversation(&mut conn, ctx.project, conversation, "Conversation").await?;
    let of = (ctx.project, conversation);
    let (rows, total) = conversation_assignments::list(&mut conn, of, limit, offset).await?;
    Ok(list.page(rows.iter().map(ConversationAssignment::of).collect(), total))
}
