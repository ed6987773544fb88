//! `GET /whatsapp_configs/{config_id}`

use super::view::WhatsappConfig;
use crate::{ApiError, api::Data, found::Found};
use store::whatsapp_configs;

/// Read one config
///
/// Access tokens are never returned. See `health` for whether the number works.
#[utoipa::path(
    get, path = "/whatsapp_configs/{config_id}", operation_id = "get_whatsapp_config", tag = "WhatsApp Configs",
    params(("config_id", description = "Config id.")),
    responses((status = 200, description = "The config.", body = Data<WhatsappConfig>))
)]
pub(super) async fn handle(
    Found(config): Found<whatsapp_configs::WhatsappConfigRow>,
) -> Result<Data<WhatsappConfig>, ApiError> {
    Ok(Data { data: WhatsappConfig::of(&config) })
}
