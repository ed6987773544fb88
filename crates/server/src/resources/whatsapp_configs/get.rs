//! `GET /whatsapp_configs/{config_id}`

use super::view::WhatsappConfig;
use crate::{
    ApiError,
    api::Data,
    auth::{ProjectContext, path_id},
};
use axum::extract::Path;
use store::whatsapp_configs;

/// Read one config
#[utoipa::path(
    get, path = "/whatsapp_configs/{config_id}", operation_id = "get_whatsapp_config", tag = "WhatsApp Configs",
    params(("config_id", description = "Config id.")),
    responses((status = 200, description = "The config.", body = Data<WhatsappConfig>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Path(config_id): Path<String>,
) -> Result<Data<WhatsappConfig>, ApiError> {
    let id = path_id(&config_id, "WhatsApp config")?;
    let mut reader = ctx.store.read().await?;
    let row = whatsapp_configs::find(&mut reader.conn(), ctx.project, id).await?;
    Ok(Data { data: WhatsappConfig::of(&row.ok_or(ApiError::NotFound("WhatsApp config"))?) })
}
