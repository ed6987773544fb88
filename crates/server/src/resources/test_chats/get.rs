//! `GET /test_chats/{id}`

use super::view::AgentTestChat;
use crate::{ApiError, api::Data, auth::ProjectContext, found::Found};
use store::test_chats;

/// Read a test chat
///
/// Clients poll it until its status is not `processing`.
#[utoipa::path(
    get, path = "/test_chats/{id}", operation_id = "get_agent_test_chat", tag = "Agent Test Chats",
    params(("id", description = "Chat id.")),
    responses((status = 200, description = "The chat.", body = Data<AgentTestChat>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(chat): Found<test_chats::TestChatRow>,
) -> Result<Data<AgentTestChat>, ApiError> {
    let mut reader = ctx.store.read().await?;
    let mut conn = reader.conn();
    Ok(Data { data: AgentTestChat::of(&mut conn, ctx.project, &chat).await? })
}
