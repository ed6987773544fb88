//! `GET /whatsapp_contacts/{identifier}/notes/{note_id}`

use super::view::WhatsappContactNote;
use crate::{
    ApiError,
    api::Data,
    auth::{ProjectContext, path_id},
    resources::contacts,
};
use axum::extract::Path;
use store::contact_notes;

/// Read one note
#[utoipa::path(
    get, path = "/whatsapp_contacts/{identifier}/notes/{note_id}", operation_id = "get_whatsapp_contact_note",
    tag = "WhatsApp Contact Notes",
    params(
        ("identifier", description = "Contact id, or the contact's phone number."),
        ("note_id", description = "Note id."),
    ),
    responses((status = 200, description = "The note.", body = Data<WhatsappContactNote>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Path((identifier, note_id)): Path<(String, String)>,
) -> Result<Data<WhatsappContactNote>, ApiError> {
    let mut reader = ctx.store.read().await?;
    let mut conn = reader.conn();
    let contact = contacts::find(&mut conn, ctx.project, &identifier, "Note").await?.id;
    let row = contact_notes::find(&mut conn, ctx.project, contact, path_id(&note_id, "Note")?).await?;
    Ok(Data { data: WhatsappContactNote::of(&row.ok_or(ApiError::NotFound("Note"))?)? })
}
