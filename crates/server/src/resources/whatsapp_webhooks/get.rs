//! `GET /whatsapp_configs/{whatsapp_config_id}/whatsapp_webhooks/{id}`

use super::view::{NumberWebhook, WhatsappWebhook};
use crate::{ApiError, api::Data, found::Found};

/// Read one webhook
///
/// Keys and values of custom headers are never returned.
#[utoipa::path(
    get, path = "/whatsapp_configs/{whatsapp_config_id}/whatsapp_webhooks/{id}", operation_id = "get_whatsapp_webhook",
    tag = "WhatsApp Webhooks",
    params(
        ("whatsapp_config_id" = uuid::Uuid, description = "Config id."),
        ("id" = uuid::Uuid, description = "Webhook id."),
    ),
    responses((status = 200, description = "The webhook.", body = Data<WhatsappWebhook>))
)]
pub(super) async fn handle(Found(webhook): Found<NumberWebhook>) -> Result<Data<WhatsappWebhook>, ApiError> {
    Ok(Data { data: WhatsappWebhook::of(&webhook.0) })
}
