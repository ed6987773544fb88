//! `PUT /inbox/{conversation_id}/read`

use crate::{
    ApiError,
    api::{RequestBody, body},
    auth::ProjectContext,
    change::{Changed, change},
    found::Found,
};
use axum::{extract::Request, http::StatusCode};
use serde::Deserialize;
use store::{conversations::ConversationRow, inbox};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
pub(super) struct InboxReadMark {
    /// `seq` of the last message that was read; 0 for none.
    #[schema(minimum = 0, maximum = 2147483647)]
    seq: i64,
}

impl RequestBody for InboxReadMark {}

/// Mark a conversation as read up to a message
///
/// The mark belongs to the person who asks; WhatsApp gets no receipt. An
/// earlier message makes the conversation unread. An API key that no person created has no marks.
#[utoipa::path(
    put, path = "/inbox/{conversation_id}/read", operation_id = "mark_inbox_read", tag = "Inbox",
    params(("conversation_id", description = "Conversation id.")), request_body = InboxReadMark,
    responses((status = 204, description = "Marked."))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(conversation): Found<ConversationRow>,
    request: Request,
) -> Result<Changed<StatusCode>, ApiError> {
    let seq = body::read::<InboxReadMark>(request).await?.seq;
    let (project, reader) = (ctx.project, ctx.principal.user());
    change!(ctx, "inbox.read", tx => {
        if let Some(reader) = reader {
            inbox::read_up_to(tx, project, reader, conversation.id, seq).await?;
        }
        Ok(StatusCode::NO_CONTENT)
    })
}
