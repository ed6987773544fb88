//! `DELETE /whatsapp_messages/{id}`

use crate::{
    ApiError,
    auth::{ProjectContext, path_id},
    change::{Changed, change},
};
use axum::{extract::Path, http::StatusCode};
use domain::event::Event;
use runtime::{events, media};
use serde_json::json;
use store::outbox;

/// Delete the stored copy of a message
///
/// The message stays on WhatsApp.
#[utoipa::path(
    delete, path = "/whatsapp_messages/{id}", operation_id = "delete_whatsapp_message", tag = "WhatsApp Messages",
    params(("id", description = "Message id.")),
    responses(
        (status = 204, description = "Deleted."),
        (status = 403, description = "`still_sending`: the message is queued, or its delivery could not be confirmed yet"),
    )
)]
pub(super) async fn handle(ctx: ProjectContext, Path(id): Path<String>) -> Result<Changed<StatusCode>, ApiError> {
    let id = path_id(&id, "Message")?;
    let project = ctx.project;
    change!(ctx, "message.delete", tx => {
        let (message, _) = super::find(tx, project, id).await?;
        let conversation = message.conversation_id;
        if outbox::is_on_its_way(tx, project, conversation, id).await? {
            return Err(ApiError::forbidden("still_sending", "Message is still being sent", "delete it later"));
        }
        media::delete_with_message(tx, project, id).await?;
        let body = json!({"conversation_id": conversation});
        events::append(&ctx, tx, project, Event::MessageDeleted, id.uuid(), &body).await?;
        Ok(StatusCode::NO_CONTENT)
    })
}
