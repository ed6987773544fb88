//! `GET /whatsapp_contacts/{identifier}`

use super::view::WhatsappContact;
use crate::{ApiError, api::Data, found::Found};
use store::contacts;

/// Read one contact
///
/// By our id, or by the WhatsApp id: the number without a plus.
#[utoipa::path(
    get, path = "/whatsapp_contacts/{identifier}", operation_id = "get_whatsapp_contact", tag = "WhatsApp Contacts",
    params(("identifier" = String, description = "Contact id, or the contact's phone number.")),
    responses((status = 200, description = "The contact.", body = Data<WhatsappContact>))
)]
pub(super) async fn handle(Found(contact): Found<contacts::ContactRow>) -> Result<Data<WhatsappContact>, ApiError> {
    Ok(Data { data: WhatsappContact::of(&contact)? })
}
