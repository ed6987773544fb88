//! `GET /whatsapp_contacts/{identifier}/notes`

use super::view::WhatsappContactNote;
use crate::{
    ApiError,
    api::{List, Page},
    auth::ProjectContext,
    found::Found,
};
use store::{contact_notes, contacts::ContactRow};

/// List a contact's notes
///
/// Agents see the notes that are not private.
#[utoipa::path(
    get, path = "/whatsapp_contacts/{identifier}/notes", operation_id = "list_whatsapp_contact_notes",
    tag = "WhatsApp Contact Notes",
    params(("identifier" = String, description = "Contact id, or the contact's phone number."), List),
    responses((status = 200, description = "One page of notes.", body = Page<WhatsappContactNote>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(contact): Found<ContactRow>,
    list: List,
) -> Result<Page<WhatsappContactNote>, ApiError> {
    let mut reader = ctx.store.read().await?;
    let (rows, total) = contact_notes::list(&mut reader.conn(), ctx.project, contact.id, list.range()).await?;
    let views = rows.iter().map(WhatsappContactNote::of).collect::<Result<_, _>>()?;
    Ok(list.page(views, total))
}
