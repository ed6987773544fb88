//! `POST /webhook_endpoints/{id}/rotate_secret`

use super::{fields, update::not_a_destination, view::WebhookEndpoint};
use crate::{
    ApiError,
    api::{Data, RequestBody, body},
    auth::ProjectContext,
    change::{Changed, change},
    found::{Found, OrNotFound as _},
};
use axum::extract::Request;
use domain::Span;
use runtime::hooks::{Credentials, PreviousKey};
use serde::Deserialize;
use store::hook_endpoints::{self, HookEndpointRow};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
pub(super) struct WebhookSecretRotation {
    /// The new key.
    #[schema(min_length = 1, max_length = 255, pattern = r"\S", write_only)]
    secret_key: String,
    /// Hours for which the key until now signs too. Default: 24.
    #[schema(minimum = 0, maximum = 168, nullable = false)]
    overlap_hours: Option<i64>,
}

impl RequestBody for WebhookSecretRotation {}

/// Replace the key of a webhook endpoint
///
/// During the overlap `webhook-signature` holds a signature of each key. `X-Webhook-Signature` has
/// room for one and is made with the new key at once.
#[utoipa::path(
    post, path = "/webhook_endpoints/{id}/rotate_secret", operation_id = "rotate_webhook_endpoint_secret",
    tag = "Webhook Endpoints", request_body = WebhookSecretRotation,
    params(("id" = uuid::Uuid, description = "Endpoint id.")),
    responses(
        (status = 200, description = "The endpoint.", body = Data<WebhookEndpoint>),
        (status = 409, description = "`destination_url`: change the `webhook_verify_token` of the config instead"),
    )
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(endpoint): Found<HookEndpointRow>,
    request: Request,
) -> Result<Changed<Data<WebhookEndpoint>>, ApiError> {
    let project = ctx.project;
    let sent = body::read::<WebhookSecretRotation>(request).await?;
    change!(ctx, "webhook_endpoint.rotate_secret", tx => {
        let mut row = hook_endpoints::lock(tx, project, endpoint.id).await?.found()?;
        not_a_destination(&row)?;
        let mut credentials = Credentials::of(&ctx, tx, project, &row).await?;
        let until = (ctx.now() + Span::from_hours(sent.overlap_hours.unwrap_or(24))).micros();
        let key = std::mem::replace(&mut credentials.key, sent.secret_key.clone());
        credentials.previous = Some(PreviousKey { key, until });
        if let Some(id) = row.secret_id {
            credentials.put(&ctx, tx, project, id).await?;
        }
        fields::note(&credentials, &mut row);
        row.updated_at = ctx.now();
        hook_endpoints::update(tx, project, &row).await?;
        Ok(Data { data: WebhookEndpoint::of(&row) })
    })
}
