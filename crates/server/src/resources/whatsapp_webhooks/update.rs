//! `PATCH /whatsapp_configs/{whatsapp_config_id}/whatsapp_webhooks/{id}`

use super::view::{NumberWebhook, WebhookEventName, WhatsappWebhook};
use crate::{
    ApiError,
    api::{Data, Problems, RequestBody, body},
    auth::ProjectContext,
    change::{Changed, change},
    found::{Found, PathRow},
    resources::webhook_endpoints::fields::{self, Required, WebhookOptions},
};
use axum::extract::Request;
use serde::Deserialize;
use serde_json::Value;
use store::hook_endpoints;
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
pub(super) struct WhatsappWebhookUpdateRequest {
    whatsapp_webhook: WhatsappWebhookChange,
}

impl RequestBody for WhatsappWebhookUpdateRequest {
    const WRAPPER: &'static [&'static str] = &["whatsapp_webhook"];

    fn check(body: &Value, problems: &mut Problems) {
        fields::check(body, "/whatsapp_webhook", problems);
    }
}

/// Omitted fields stay unchanged.
#[derive(Deserialize, ToSchema)]
struct WhatsappWebhookChange {
    #[schema(max_length = 2048, format = "uri", nullable = false)]
    url: Option<String>,
    /// Replaces the key at once, with deliveries that wait.
    #[schema(min_length = 1, max_length = 255, pattern = r"\S", nullable = false, write_only)]
    secret_key: Option<String>,
    #[schema(value_type = Option<Vec<WebhookEventName>>, min_items = 1, nullable = false)]
    events: Option<Vec<String>>,
    #[serde(flatten)]
    options: WebhookOptions,
}

/// Change a webhook
///
/// Omitted fields stay unchanged; `headers: null` removes the custom headers.
#[utoipa::path(
    patch, path = "/whatsapp_configs/{whatsapp_config_id}/whatsapp_webhooks/{id}", operation_id = "update_whatsapp_webhook",
    tag = "WhatsApp Webhooks", request_body = WhatsappWebhookUpdateRequest,
    params(
        ("whatsapp_config_id" = uuid::Uuid, description = "Config id."),
        ("id" = uuid::Uuid, description = "Webhook id."),
    ),
    responses(
        (status = 200, description = "The updated webhook.", body = Data<WhatsappWebhook>),
        (status = 422, description = "Details: `invalid_url`, `invalid_header`, `reserved_header`, `not_buffered`, `too_large`"),
    )
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(webhook): Found<NumberWebhook>,
    request: Request,
) -> Result<Changed<Data<WhatsappWebhook>>, ApiError> {
    let project = ctx.project;
    let sent = body::read::<WhatsappWebhookUpdateRequest>(request).await?.whatsapp_webhook;
    change!(ctx, "whatsapp_webhook.update", tx => {
        let row = hook_endpoints::lock(tx, project, webhook.0.id).await?;
        let mut row = row.ok_or(ApiError::NotFound(NumberWebhook::NAME))?;
        let required = Required { url: sent.url.as_deref(), events: sent.events.as_deref() };
        sent.options.apply(&required, &mut row);
        sent.options.seal(&ctx, tx, project, sent.secret_key.as_deref(), &mut row).await?;
        row.updated_at = ctx.now();
        hook_endpoints::update(tx, project, &row).await?;
        Ok(Data { data: WhatsappWebhook::of(&row) })
    })
}
