//! `PATCH /webhook_endpoints/{id}`

use super::{
    fields::{self, Required, WebhookOptions},
    view::{WebhookEndpoint, WebhookEndpointEventName},
};
use crate::{
    ApiError,
    api::{Data, Problems, RequestBody, body},
    auth::ProjectContext,
    change::{Changed, change},
    found::{Found, OrNotFound as _},
};
use axum::extract::Request;
use domain::hook::{EndpointOrigin, HookEvent};
use serde::Deserialize;
use serde_json::Value;
use store::hook_endpoints::{self, HookEndpointRow};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
pub(super) struct WebhookEndpointUpdateRequest {
    webhook_endpoint: WebhookEndpointChange,
}

impl RequestBody for WebhookEndpointUpdateRequest {
    const WRAPPER: &'static [&'static str] = &["webhook_endpoint"];

    fn check(body: &Value, problems: &mut Problems) {
        fields::check(body, "/webhook_endpoint", problems);
    }
}

/// Omitted fields stay unchanged.
#[derive(Deserialize, ToSchema)]
struct WebhookEndpointChange {
    #[schema(max_length = 2048, format = "uri", nullable = false)]
    url: Option<String>,
    /// An endpoint of a number gets only the eight events of numbers.
    #[schema(value_type = Option<Vec<WebhookEndpointEventName>>, min_items = 1, nullable = false)]
    events: Option<Vec<String>>,
    #[schema(nullable = false)]
    ordered: Option<bool>,
    #[serde(flatten)]
    options: WebhookOptions,
}

/// Change a webhook endpoint
///
/// Its key is changed with `rotate_webhook_endpoint_secret`.
#[utoipa::path(
    patch, path = "/webhook_endpoints/{id}", operation_id = "update_webhook_endpoint", tag = "Webhook Endpoints",
    request_body = WebhookEndpointUpdateRequest, params(("id" = uuid::Uuid, description = "Endpoint id.")),
    responses(
        (status = 200, description = "The endpoint.", body = Data<WebhookEndpoint>),
        (status = 409, description = "`destination_url`: change the `webhook_destination_url` of the config instead"),
        (status = 422, description = "Details: `invalid_url`, `invalid_header`, `reserved_header`, `not_buffered`, `too_large`, `not_of_a_number`"),
    )
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(endpoint): Found<HookEndpointRow>,
    request: Request,
) -> Result<Changed<Data<WebhookEndpoint>>, ApiError> {
    let project = ctx.project;
    let sent = body::read::<WebhookEndpointUpdateRequest>(request).await?.webhook_endpoint;
    change!(ctx, "webhook_endpoint.update", tx => {
        let mut row = hook_endpoints::lock(tx, project, endpoint.id).await?.found()?;
        not_a_destination(&row)?;
        if row.origin == EndpointOrigin::Number && sent.events.iter().flatten().any(|name| !is_of_number(name)) {
            let why = "an endpoint of a number gets events of messages and conversations only";
            return Err(ApiError::invalid("/webhook_endpoint/events", "not_of_a_number", why));
        }
        let required = Required { url: sent.url.as_deref(), events: sent.events.as_deref() };
        sent.options.apply(&required, &mut row);
        sent.options.seal(&ctx, tx, project, None, &mut row).await?;
        row.ordered = sent.ordered.unwrap_or(row.ordered);
        row.updated_at = ctx.now();
        hook_endpoints::update(tx, project, &row).await?;
        Ok(Data { data: WebhookEndpoint::of(&row) })
    })
}

fn is_of_number(name: &str) -> bool {
    name.parse().is_ok_and(HookEvent::is_of_contract)
}

/// Conflict: the endpoint follows a config.
pub(super) fn not_a_destination(row: &HookEndpointRow) -> Result<(), ApiError> {
    if row.origin != EndpointOrigin::Destination {
        return Ok(());
    }
    let why = "this endpoint follows the webhook_destination_url of its config; change the config instead";
    Err(ApiError::conflict("destination_url", "Webhook endpoint belongs to a config", why))
}
