//! `DELETE /whatsapp_messages/{id}`

use crate::{
    ApiError,
    api::{Changed, change},
    auth::{ProjectContext, path_id},
};
use axum::{extract::Path, http::StatusCode};
use domain::event::Event;
use runtime::media;
use serde_json::json;
use store::{events, outbox};

/// Delete our copy of a message
///
/// Nothing is recalled on WhatsApp.
#[utoipa::path(
    delete, path = "/whatsapp_messages/{id}", operation_id = "delete_whatsapp_message", tag = "WhatsApp Messages",
    params(("id", description = "Message id.")),
    responses(
        (status = 204, description = "Deleted."),
        (status = 403, description = "`on_its_way`: the message is still to be sent, or nobody knows yet whether it was"),
    )
)]
pub(super) async fn handle(ctx: ProjectContext, Path(id): Path<String>) -> Result<Changed<StatusCode>, ApiError> {
    let id = path_id(&id, "Message")?;
    let project = ctx.project;
    change!(ctx, "message.delete", tx => {
        let (message, _) = super::find(tx, project, id).await?;
        let conversation = message.conversation_id;
        if outbox::is_on_its_way(tx, project, conversation, id).await? {
            return Err(ApiError::Forbidden("on_its_way", "the message is still on its way; delete it later".into()));
        }
        media::delete_with_message(tx, project, id).await?;
        let body = json!({"conversation_id": conversation}).to_string();
        let event_id = ctx.new_uuid();
        events::append(&mut tx.scope(project, ctx.now()), event_id, Event::MessageDeleted, id.uuid(), &body).await?;
        Ok(StatusCode::NO_CONTENT)
    })
}
