//! `GET /whatsapp_contacts/{identifier}`

use super::view::{self, WhatsappContact};
use crate::{ApiError, api::Data, auth::ProjectContext};
use axum::extract::Path;

/// Read one contact
#[utoipa::path(
    get, path = "/whatsapp_contacts/{identifier}", operation_id = "get_whatsapp_contact", tag = "WhatsApp Contacts",
    params(("identifier", description = "Contact id, or the contact's phone number.")),
    responses((status = 200, description = "The contact.", body = Data<WhatsappContact>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Path(identifier): Path<String>,
) -> Result<Data<WhatsappContact>, ApiError> {
    let mut reader = ctx.store.read().await?;
    let row = view::find(&mut reader.conn(), ctx.project, &identifier, "Contact").await?;
    Ok(Data { data: WhatsappContact::of(&row)? })
}
