//! `GET /whatsapp_contacts/{identifier}/notes`

use super::view::WhatsappContactNote;
use crate::{
    ApiError,
    api::{List, Page},
    auth::ProjectContext,
    resources::contacts,
};
use axum::extract::Path;
use store::contact_notes;

/// List a contact's notes
#[utoipa::path(
    get, path = "/whatsapp_contacts/{identifier}/notes", operation_id = "list_whatsapp_contact_notes",
    tag = "WhatsApp Contact Notes",
    params(("identifier", description = "Contact id, or the contact's phone number."), List),
    responses((status = 200, description = "One page of notes.", body = Page<WhatsappContactNote>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Path(identifier): Path<String>,
    list: List,
) -> Result<Page<WhatsappContactNote>, ApiError> {
    let mut reader = ctx.store.read().await?;
    let mut conn = reader.conn();
    let contact = contacts::find(&mut conn, ctx.project, &identifier, "Contact").await?.id;
    let (rows, total) = contact_notes::list(&mut conn, ctx.project, contact, list.range()).await?;
    let views = rows.iter().map(WhatsappContactNote::of).collect::<Result<_, _>>()?;
    Ok(list.page(views, total))
}
