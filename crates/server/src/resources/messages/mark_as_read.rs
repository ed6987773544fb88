//! `PATCH /whatsapp_messages/{id}/mark_as_read`

use super::view::WhatsappMessage;
use crate::{
    ApiError,
    api::{Data, Query},
    auth::{ProjectContext, path_id},
    change::{Changed, change},
};
use axum::extract::Path;
use domain::{job::JobKind, message::Direction};
use runtime::{jobs::Receipt, json::to_json};
use serde::Deserialize;
use store::{
    jobs::{self, NewJob},
    messages,
};
use utoipa::IntoParams;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Typing {
    /// Also show typing to the contact.
    #[param(default = true)]
    typing_indicator: Option<bool>,
}

/// Mark an inbound message as read
///
/// Also marks earlier messages, as WhatsApp does. WhatsApp is notified in the background. A message
/// that is already read is not changed.
#[utoipa::path(
    patch, path = "/whatsapp_messages/{id}/mark_as_read", operation_id = "mark_whatsapp_message_as_read", tag = "WhatsApp Messages",
    params(("id", description = "Message id."), Typing),
    responses(
        (status = 200, description = "The message, read.", body = Data<WhatsappMessage>),
        (status = 400, description = "`malformed`: the message is outbound"),
    )
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Path(id): Path<String>,
    Query(Typing { typing_indicator }): Query<Typing>,
) -> Result<Changed<Data<WhatsappMessage>>, ApiError> {
    let id = path_id(&id, "Message")?;
    let project = ctx.project;
    let changed = change!(ctx, "message.read", tx => {
        let (message, conversation) = super::find(tx, project, id).await?;
        if message.direction != Direction::Inbound {
            return Err(ApiError::bad_request("Can only mark inbound messages as read"));
        }
        let now = ctx.now();
        let changed = messages::read(tx, project, conversation.id, id, now).await? > 0;
        if let Some(wamid) = message.wamid.filter(|_| changed) {
            let typing = typing_indicator.unwrap_or(true);
            let receipt = Receipt { phone_number_id: conversation.phone_number_id.clone(), wamid, typing };
            let payload = to_json("receipt", &receipt)?;
            let key = id.to_string();
            let job = NewJob { id: ctx.new_uuid(), kind: JobKind::ReadReceipt, key: &key, payload: &payload, run_at: now };
            jobs::put(&mut tx.scope(project, now), job).await?;
        }
        let row = messages::find(tx, project, id).await?.ok_or(ApiError::NotFound("Message"))?;
        Ok(Data { data: WhatsappMessage::of(&ctx, &row, conversation.phone_number.as_deref()) })
    })?;
    ctx.wake.notify_one();
    Ok(changed)
}
