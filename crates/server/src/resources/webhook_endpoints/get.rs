//! `GET /webhook_endpoints/{id}`

use super::view::WebhookEndpoint;
use crate::{ApiError, api::Data, found::Found};
use store::hook_endpoints::HookEndpointRow;

/// Read one webhook endpoint
///
/// Keys and values of custom headers are never returned.
#[utoipa::path(
    get, path = "/webhook_endpoints/{id}", operation_id = "get_webhook_endpoint", tag = "Webhook Endpoints",
    params(("id" = uuid::Uuid, description = "Endpoint id.")),
    responses((status = 200, description = "The endpoint.", body = Data<WebhookEndpoint>))
)]
pub(super) async fn handle(Found(endpoint): Found<HookEndpointRow>) -> Result<Data<WebhookEndpoint>, ApiError> {
    Ok(Data { data: WebhookEndpoint::of(&endpoint) })
}
