//! `DELETE /whatsapp_contacts/{identifier}/notes/{note_id}`

use crate::{
    ApiError,
    api::{Changed, change},
    auth::{ProjectContext, path_id},
    resources::contacts,
};
use axum::{extract::Path, http::StatusCode};
use domain::ids::ContactNoteId;
use store::contact_notes;

/// Delete a note
#[utoipa::path(
    delete, path = "/whatsapp_contacts/{identifier}/notes/{note_id}", operation_id = "delete_whatsapp_contact_note",
    tag = "WhatsApp Contact Notes",
    params(
        ("identifier", description = "Contact id, or the contact's phone number."),
        ("note_id", description = "Note id."),
    ),
    responses((status = 204, description = "Deleted."))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Path((identifier, note_id)): Path<(String, String)>,
) -> Result<Changed<StatusCode>, ApiError> {
    let project = ctx.project;
    change!(ctx, "whatsapp_contact_note.delete", tx => {
        let contact = contacts::find(tx, project, &identifier, "Note").await?.id;
        let id: ContactNoteId = path_id(&note_id, "Note")?;
        if !contact_notes::delete(tx, project, contact, id).await? {
            return Err(ApiError::NotFound("Note"));
        }
        Ok(StatusCode::NO_CONTENT)
    })
}
