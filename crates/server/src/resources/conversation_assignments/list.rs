//! `GET /whatsapp_conversations/{whatsapp_conversation_id}/conversation_assignments`

use super::view::ConversationAssignment;
use crate::{
    ApiError,
    api::{List, Page},
    auth::ProjectContext,
    found::Found,
};
use store::{conversation_assignments, conversations};

/// List a conversation's assignments
///
/// An assignment makes a person responsible; while one is active, no agent answers.
#[utoipa::path(
    get, path = "/whatsapp_conversations/{whatsapp_conversation_id}/conversation_assignments",
    operation_id = "list_conversation_assignments", tag = "Conversation Assignments",
    params(("whatsapp_conversation_id", description = "Conversation id."), List),
    responses((status = 200, description = "One page of assignments.", body = Page<ConversationAssignment>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(conversation): Found<conversations::ConversationRow>,
    list: List,
) -> Result<Page<ConversationAssignment>, ApiError> {
    let (limit, offset) = list.range();
    let mut reader = ctx.store.read().await?;
    let (rows, total) =
        conversation_assignments::list(&mut reader.conn(), ctx.project, conversation.id, limit, offset).await?;
    Ok(list.page(rows.iter().map(ConversationAssignment::of).collect(), total))
}
