//! `GET /whatsapp_templates/{template_id}`

use super::view::WhatsappTemplate;
use crate::{ApiError, api::Data, auth::ProjectContext, found::Found};
use store::whatsapp_templates;

/// Read one template
///
/// With status, components and what WhatsApp said at its review.
#[utoipa::path(
    get, path = "/whatsapp_templates/{template_id}", operation_id = "get_whatsapp_template", tag = "WhatsApp Templates",
    params(("template_id", description = "Template id on this platform, not Meta's.")),
    responses((status = 200, description = "The template.", body = Data<WhatsappTemplate>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(template): Found<whatsapp_templates::WhatsappTemplateRow>,
) -> Result<Data<WhatsappTemplate>, ApiError> {
    let mut reader = ctx.store.read().await?;
    Ok(Data { data: WhatsappTemplate::of(&mut reader.conn(), ctx.project, &template).await? })
}
