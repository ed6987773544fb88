//! `DELETE /whatsapp_contacts/{identifier}/notes/{note_id}`

use super::view::ContactNote;
use crate::{
    ApiError,
    auth::ProjectContext,
    change::{Changed, change},
    found::Found,
};
use axum::http::StatusCode;
use store::contact_notes;

/// Delete a note
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
        Ok(StatusCode::NO_CONTENT)
    })
}
