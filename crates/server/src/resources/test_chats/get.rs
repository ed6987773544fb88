//! `GET /test_chats/{id}`

use super::view::AgentTestChat;
use crate::{
    ApiError,
    api::Data,
    auth::{ProjectContext, path_id},
};
use axum::extract::Path;
use store::test_chats;

/// State of a test chat
///
/// Clients poll it until it is not `processing`.
#[utoipa::path(
    get, path = "/test_chats/{id}", operation_id = "get_agent_test_chat", tag = "Agent Test Chats",
    params(("id", description = "Chat id.")),
    responses((status = 200, description = "The chat.", body = Data<AgentTestChat>))
)]
pub(super) async fn handle(ctx: ProjectContext, Path(id): Path<String>) -> Result<Data<AgentTestChat>, ApiError> {
    let id = path_id(&id, "Test chat")?;
    let mut reader = ctx.store.read().await?;
    let mut conn = reader.conn();
    let row = test_chats::find(&mut conn, ctx.project, id).await?.ok_or(ApiError::NotFound("Test chat"))?;
    Ok(Data { data: AgentTestChat::of(&mut conn, ctx.project, &row).await? })
}
