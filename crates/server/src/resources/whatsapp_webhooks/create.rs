//! `POST /whatsapp_configs/{whatsapp_config_id}/whatsapp_webhooks`

use super::view::{WebhookEventName, WhatsappWebhook};
use crate::{
    ApiError,
    api::{Created, Data, Problems, RequestBody, body},
    auth::ProjectContext,
    change::{Changed, change},
    found::{Found, OrNotFound as _},
    resources::webhook_endpoints::fields::{self, MOST, Required, WebhookOptions},
};
use axum::extract::Request;
use domain::hook::EndpointOrigin;
use serde::Deserialize;
use serde_json::Value;
use store::{
    hook_endpoints,
    whatsapp_configs::{self, WhatsappConfigRow},
};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
pub(super) struct WhatsappWebhookCreateRequest {
    whatsapp_webhook: NewWhatsappWebhook,
}

impl RequestBody for WhatsappWebhookCreateRequest {
    const WRAPPER: &'static [&'static str] = &["whatsapp_webhook"];

    fn check(body: &Value, problems: &mut Problems) {
        fields::check(body, "/whatsapp_webhook", problems);
    }
}

#[derive(Deserialize, ToSchema)]
struct NewWhatsappWebhook {
    #[schema(max_length = 2048, format = "uri")]
    url: String,
    /// Signs the deliveries. Stored encrypted; only its last four characters are returned.
    #[schema(min_length = 1, max_length = 255, pattern = r"\S", write_only)]
    secret_key: String,
    #[schema(value_type = Vec<WebhookEventName>, min_items = 1)]
    events: Vec<String>,
    #[serde(flatten)]
    options: WebhookOptions,
}

/// Subscribe a URL to events of a number
///
/// Each event is posted as JSON until the URL answers with a 2xx status within 10 seconds: after 10,
/// 40 and 90 seconds, 5 and 30 minutes, 2, 6, 12 and 24 hours, with the same `X-Idempotency-Key`.
/// `X-Webhook-Signature` is the hex HMAC-SHA256 of the raw body. The headers of Standard Webhooks
/// (`webhook-id`, `webhook-timestamp`, `webhook-signature`) are sent too; their key is the bytes of
/// `secret_key`, which libraries take as `whsec_` and the Base64 of these bytes.
#[utoipa::path(
    post, path = "/whatsapp_configs/{whatsapp_config_id}/whatsapp_webhooks", operation_id = "create_whatsapp_webhook",
    tag = "WhatsApp Webhooks", request_body = WhatsappWebhookCreateRequest,
    params(("whatsapp_config_id" = uuid::Uuid, description = "Config id.")),
    responses(
        (status = 201, description = "The new webhook.", body = Data<WhatsappWebhook>),
        (status = 409, description = "`too_many_endpoints`: the config has 50"),
        (status = 422, description = "Details: `invalid_url`, `invalid_header`, `reserved_header`, `not_buffered`, `too_large`"),
    )
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(config): Found<WhatsappConfigRow>,
    request: Request,
) -> Result<Changed<Created<WhatsappWebhook>>, ApiError> {
    let project = ctx.project;
    let new = body::read::<WhatsappWebhookCreateRequest>(request).await?.whatsapp_webhook;
    change!(ctx, "whatsapp_webhook.create", tx => {
        let config = whatsapp_configs::lock(tx, project, config.id).await?.found()?;
        if hook_endpoints::of_scope(tx, project, config.id.uuid()).await?.len() > MOST {
            return Err(fields::too_many());
        }
        let mut row = fields::new_row(&ctx, project);
        row.origin = EndpointOrigin::Number;
        (row.scope_id, row.whatsapp_config_id) = (config.id.uuid(), Some(config.id));
        let required = Required { url: Some(&new.url), events: Some(&new.events) };
        new.options.apply(&required, &mut row);
        new.options.seal(&ctx, tx, project, Some(&new.secret_key), &mut row).await?;
        hook_endpoints::insert(tx, project, &row).await?;
        Ok(Created(WhatsappWebhook::of(&row)))
    })
}
