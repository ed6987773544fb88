//! `GET /whatsapp_conversations/{conversation_id}/agent_executions`

use super::view::ConversationAgentExecution;
use crate::{
    ApiError,
    api::{List, Page},
    auth::ProjectContext,
    found::Found,
};
use store::{conversations, executions};

/// List links between a conversation and agent executions
///
/// A link names an execution of an agent in the conversation, newest first.
#[utoipa::path(
    get, path = "/whatsapp_conversations/{conversation_id}/agent_executions",
    operation_id = "list_whatsapp_conversation_agent_executions", tag = "WhatsApp Conversations",
    params(("conversation_id", description = "Conversation id."), List),
    responses((status = 200, description = "One page of links.", body = Page<ConversationAgentExecution>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(conversation): Found<conversations::ConversationRow>,
    list: List,
) -> Result<Page<ConversationAgentExecution>, ApiError> {
    let (limit, offset) = list.range();
    let mut reader = ctx.store.read().await?;
    let mut conn = reader.conn();
    let (rows, total) = executions::of_conversation(&mut conn, ctx.project, conversation.id, limit, offset).await?;
    Ok(list.page(rows.iter().map(|row| ConversationAgentExecution::of(row, &conversation)).collect(), total))
}
