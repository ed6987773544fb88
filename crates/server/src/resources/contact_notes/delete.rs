//! `DELETE /whatsapp_contacts/{identifier}/notes/{note_id}`

use super::view::{self, ContactNote};
use crate::{
    ApiError,
    auth::ProjectContext,
    change::{Changed, change},
    found::Found,
};
use axum::http::StatusCode;
use store::contact_notes;

/// Delete a note
///
/// Agents do not see it from the contact's next message on.
#[utoipa::path(
    delete, path = "/whatsapp_contacts/{identifier}/notes/{note_id}", operation_id = "delete_whatsapp_contact_note",
    tag = "WhatsApp Contact Notes",
    params(
        ("identifier" = String, description = "Contact id, or the contact's phone number."),
        ("note_id", description = "Note id."),
    ),
    responses((status = 204, description = "Deleted."))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(ContactNote { contact, note }): Found<ContactNote>,
) -> Result<Changed<StatusCode>, ApiError> {
    let project = ctx.project;
    change!(ctx, "whatsapp_contact_note.delete", tx => {
        if !contact_notes::delete(tx, project, contact, note.id).await? {
            return Err(ApiError::NotFound("Note"));
        }
        view::append_event(&ctx, tx, note.id, contact, "deleted").await?;
        Ok(StatusCode::NO_CONTENT)
    })
}
