//! `PATCH /whatsapp_conversations/{conversation_id}`

use super::view::{ConversationStatus, WhatsappConversation};
use crate::{
    ApiError,
    api::{Data, RequestBody, body},
    auth::ProjectContext,
    change::{Changed, change},
    found::{Found, OrNotFound as _},
};
use axum::extract::Request;
use runtime::ownership;
use serde::Deserialize;
use store::{Error, conversations};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
pub(super) struct WhatsappConversationUpdateRequest {
    whatsapp_conversation: WhatsappConversationChange,
}

#[derive(Deserialize, ToSchema)]
struct WhatsappConversationChange {
    #[schema(value_type = ConversationStatus)]
    status: String,
}

impl RequestBody for WhatsappConversationUpdateRequest {
    const WRAPPER: &'static [&'static str] = &["whatsapp_conversation"];
}

/// Close or reopen a conversation
///
/// Closing ends the execution at the next safe point, cancels its timers and releases the
/// assignment. The contact's next message opens a new conversation. In a reopened conversation the
/// number's agent answers the contact's next message.
#[utoipa::path(
    patch, path = "/whatsapp_conversations/{conversation_id}", operation_id = "update_whatsapp_conversation",
    tag = "WhatsApp Conversations", params(("conversation_id", description = "Conversation id.")),
    request_body = WhatsappConversationUpdateRequest,
    responses(
        (status = 200, description = "The conversation.", body = Data<WhatsappConversation>),
        (status = 422, description = "`conversation_open`: the contact has another open conversation on this number"),
    )
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(conversation): Found<conversations::ConversationRow>,
    request: Request,
) -> Result<Changed<Data<WhatsappConversation>>, ApiError> {
    let project = ctx.project;
    let sent = body::read::<WhatsappConversationUpdateRequest>(request).await?.whatsapp_conversation;
    let changed = change!(ctx, "conversation.update", tx => {
        let now = ctx.now();
        let row = conversations::lock(tx, project, conversation.id, now).await?.found()?;
        match (row.status.as_str(), sent.status.as_str()) {
            ("active", "ended") => ownership::close(&ctx, tx, project, &row, "conversation_closed", false, now).await?,
            ("ended", "active") => ownership::reopen(&ctx, tx, project, &row, now).await.map_err(open_conflict)?,
            _ => {}
        }
        let row = conversations::find(tx, project, conversation.id).await?.found()?;
        Ok(Data { data: WhatsappConversation::of(&row) })
    })?;
    ctx.interrupts.signal(conversation.id);
    ctx.wake.notify_one();
    Ok(changed)
}

fn open_conflict(error: Error) -> ApiError {
    match error {
        Error::Conflict(_) => {
            let why = "the contact has one on this number; end that one first";
            ApiError::state("conversation_open", "Another conversation is open", why)
        }
        other => other.into(),
    }
}
