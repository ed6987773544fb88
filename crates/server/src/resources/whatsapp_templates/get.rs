//! `GET /whatsapp_templates/{template_id}`

use super::view::WhatsappTemplate;
use crate::{
    ApiError,
    api::Data,
    auth::{ProjectContext, path_id},
};
use axum::extract::Path;
use store::whatsapp_templates::{self, WhatsappTemplateRow};

/// Read one template
#[utoipa::path(
    get, path = "/whatsapp_templates/{template_id}", operation_id = "get_whatsapp_template", tag = "WhatsApp Templates",
    params(("template_id", description = "Template id on this platform, not Meta's.")),
    responses((status = 200, description = "The template.", body = Data<WhatsappTemplate>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Path(template_id): Path<String>,
) -> Result<Data<WhatsappTemplate>, ApiError> {
    let row = named(&ctx, &template_id).await?;
    let mut reader = ctx.store.read().await?;
    Ok(Data { data: WhatsappTemplate::of(&mut reader.conn(), ctx.project, &row).await? })
}

/// The template that a path names.
pub(super) async fn named(ctx: &ProjectContext, template_id: &str) -> Result<WhatsappTemplateRow, ApiError> {
    let id = path_id(template_id, "Template")?;
    let mut reader = ctx.store.read().await?;
    let row = whatsapp_templates::find(&mut reader.conn(), ctx.project, id).await?;
    row.ok_or(ApiError::NotFound("Template"))
}
