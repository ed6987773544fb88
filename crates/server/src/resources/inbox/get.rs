//! `GET /inbox/{conversation_id}`

use super::view::InboxEntry;
use crate::{ApiError, api::Data, auth::ProjectContext, found::Found};
use store::{conversations::ConversationRow, inbox};

/// Read one conversation of the inbox
///
/// With who answers in it, the service window and the latest message.
#[utoipa::path(
    get, path = "/inbox/{conversation_id}", operation_id = "get_inbox_entry", tag = "Inbox",
    params(("conversation_id", description = "Conversation id.")),
    responses((status = 200, description = "The conversation.", body = Data<InboxEntry>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(conversation): Found<ConversationRow>,
) -> Result<Data<InboxEntry>, ApiError> {
    let mut reader = ctx.store.read().await?;
    let row = inbox::find(&mut reader.conn(), ctx.project, ctx.principal.user(), conversation.id).await?;
    let row = row.ok_or(ApiError::NotFound("Conversation"))?;
    Ok(Data { data: InboxEntry::of(&row) })
}
