//! `DELETE /whatsapp_configs/{whatsapp_config_id}/whatsapp_webhooks/{id}`

use super::view::NumberWebhook;
use crate::{
    ApiError,
    auth::ProjectContext,
    change::{Changed, change},
    found::{Found, PathRow},
    resources::webhook_endpoints::remove,
};
use axum::http::StatusCode;
use store::hook_endpoints;

/// Remove a webhook
///
/// Events that were not delivered yet are dropped; the log of deliveries stays readable.
#[utoipa::path(
    delete, path = "/whatsapp_configs/{whatsapp_config_id}/whatsapp_webhooks/{id}", operation_id = "delete_whatsapp_webhook",
    tag = "WhatsApp Webhooks",
    params(
        ("whatsapp_config_id" = uuid::Uuid, description = "Config id."),
        ("id" = uuid::Uuid, description = "Webhook id."),
    ),
    responses((status = 204, description = "Deleted."))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(webhook): Found<NumberWebhook>,
) -> Result<Changed<StatusCode>, ApiError> {
    let project = ctx.project;
    change!(ctx, "whatsapp_webhook.delete", tx => {
        let row = hook_endpoints::lock(tx, project, webhook.0.id).await?;
        remove(tx, project, &row.ok_or(ApiError::NotFound(NumberWebhook::NAME))?).await?;
        Ok(StatusCode::NO_CONTENT)
    })
}
