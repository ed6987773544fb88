//! `GET /whatsapp_conversations/{conversation_id}/agent_executions/{id}`

use super::view::{self, ConversationAgentExecution};
use crate::{
    ApiError,
    api::Data,
    auth::{ProjectContext, path_id},
};
use axum::extract::Path;
use store::{conversations, executions};

const WHAT: &str = "Execution";

/// Read one link
///
/// A link names an execution of an agent in the conversation.
#[utoipa::path(
    get, path = "/whatsapp_conversations/{conversation_id}/agent_executions/{id}",
    operation_id = "get_whatsapp_conversation_agent_execution", tag = "WhatsApp Conversations",
    params(("conversation_id", description = "Conversation id."), ("id", description = "Id of the link, not of the execution.")),
    responses((status = 200, description = "The link with its execution.", body = Data<ConversationAgentExecution>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Path((conversation_id, id)): Path<(String, String)>,
) -> Result<Data<ConversationAgentExecution>, ApiError> {
    let conversation = path_id(&conversation_id, WHAT)?;
    let execution = view::execution(path_id(&id, WHAT)?);
    let mut reader = ctx.store.read().await?;
    let mut conn = reader.conn();
    let conversation =
        conversations::find(&mut conn, ctx.project, conversation).await?.ok_or(ApiError::NotFound(WHAT))?;
    let row = executions::find(&mut conn, ctx.project, execution).await?;
    let row = row.filter(|row| row.conversation_id == conversation.id).ok_or(ApiError::NotFound(WHAT))?;
    Ok(Data { data: ConversationAgentExecution::of(&row, &conversation) })
}
