//! `PATCH /whatsapp_conversations/{conversation_id}`

use super::view::{ConversationStatus, WhatsappConversation};
use crate::{
    ApiError,
    api::{Changed, Data, RequestBody, body, change},
    auth::{ProjectContext, path_id},
};
use axum::extract::{Path, Request};
use runtime::ownership;
use serde::Deserialize;
use store::{Error, conversations};
use utoipa::ToSchema;

const WHAT: &str = "Conversation";

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
/// Closing ends its run at the next safe point, with its timers, and releases its assignment; what the person says next
/// opens another conversation. A reopened one is answered by the agent that answers on its number when the person next says
/// something.
#[utoipa::path(
    patch, path = "/whatsapp_conversations/{conversation_id}", operation_id = "update_whatsapp_conversation",
    tag = "WhatsApp Conversations", params(("conversation_id", description = "Conversation id.")),
    request_body = WhatsappConversationUpdateRequest,
    responses(
        (status = 200, description = "The conversation.", body = Data<WhatsappConversation>),
        (status = 422, description = "`conversation_open`: the person has another open conversation on this number"),
    )
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Path(conversation_id): Path<String>,
    request: Request,
) -> Result<Changed<Data<WhatsappConversation>>, ApiError> {
    let id = path_id(&conversation_id, WHAT)?;
    let project = ctx.project;
    {
        let mut reader = ctx.store.read().await?;
        conversations::find(&mut reader.conn(), project, id).await?.ok_or(ApiError::NotFound(WHAT))?;
    }
    let sent = body::read::<WhatsappConversationUpdateRequest>(request).await?.whatsapp_conversation;
    let changed = change!(ctx, "conversation.update", tx => {
        let now = ctx.now();
        let row = conversations::lock(tx, project, id, now).await?.ok_or(ApiError::NotFound(WHAT))?;
        match (row.status.as_str(), sent.status.as_str()) {
            ("active", "ended") => ownership::close(&ctx, tx, project, &row, ("conversation_closed", false), now).await?,
            ("ended", "active") => ownership::reopen(&ctx, tx, project, &row, now).await.map_err(has_another)?,
            _ => {}
        }
        let row = conversations::find(tx, project, id).await?.ok_or(ApiError::NotFound(WHAT))?;
        Ok(Data { data: WhatsappConversation::of(&row) })
    })?;
    ctx.interrupts.signal(id);
    ctx.wake.notify_one();
    Ok(changed)
}

fn has_another(error: Error) -> ApiError {
    match error {
        Error::Conflict(_) => {
            ApiError::State("conversation_open", "the person has another open conversation on this number".into())
        }
        other => other.into(),
    }
}
