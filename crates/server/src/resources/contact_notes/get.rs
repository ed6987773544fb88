//! `GET /whatsapp_contacts/{identifier}/notes/{note_id}`

use super::view::{ContactNote, WhatsappContactNote};
use crate::{ApiError, api::Data, found::Found};

/// Read one note
///
/// A note belongs to one contact.
#[utoipa::path(
    get, path = "/whatsapp_contacts/{identifier}/notes/{note_id}", operation_id = "get_whatsapp_contact_note",
    tag = "WhatsApp Contact Notes",
    params(
        ("identifier" = String, description = "Contact id, or the contact's phone number."),
        ("note_id", description = "Note id."),
    ),
    responses((status = 200, description = "The note.", body = Data<WhatsappContactNote>))
)]
pub(super) async fn handle(
    Found(ContactNote { note, .. }): Found<ContactNote>,
) -> Result<Data<WhatsappContactNote>, ApiError> {
    Ok(Data { data: WhatsappContactNote::of(&note)? })
}
