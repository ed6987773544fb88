//! `GET /webhook_deliveries/{id}`

use super::view::{WebhookDelivery, WebhookDeliveryAttempt, WebhookDeliveryDetail, WebhookDeliveryRequest};
use crate::{ApiError, api::Data, auth::ProjectContext, found::Found, resources::whatsapp_webhooks::names};
use runtime::hook_delivery;
use store::{
    hook_deliveries::{self, HookDeliveryRow},
    hook_endpoints::{self, HookEndpointRow},
};

/// Bytes of a body that are shown.
const SHOWN: usize = 16 << 10;

/// Read a delivery with its request and attempts
///
/// The body is as it was sent.
#[utoipa::path(
    get, path = "/webhook_deliveries/{id}", operation_id = "get_webhook_delivery", tag = "Webhook Deliveries",
    params(("id" = uuid::Uuid, description = "Delivery id.")),
    responses((status = 200, description = "The delivery.", body = Data<WebhookDeliveryDetail>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(row): Found<HookDeliveryRow>,
) -> Result<Data<WebhookDeliveryDetail>, ApiError> {
    let (endpoint, attempts) = {
        let mut reader = ctx.store.read().await?;
        let mut conn = reader.conn();
        let endpoint = hook_endpoints::find(&mut conn, ctx.project, row.endpoint_id).await?;
        (endpoint, hook_deliveries::attempts(&mut conn, ctx.project, row.id).await?)
    };
    let request = match endpoint {
        Some(endpoint) => request(&ctx, &row, endpoint).await?,
        None => None,
    };
    let delivery = WebhookDelivery::of(&row);
    let log = attempts.into_iter().map(WebhookDeliveryAttempt::of).collect();
    Ok(Data { data: WebhookDeliveryDetail { delivery, request, log } })
}

async fn request(
    ctx: &ProjectContext,
    row: &HookDeliveryRow,
    endpoint: HookEndpointRow,
) -> Result<Option<WebhookDeliveryRequest>, ApiError> {
    let body = hook_delivery::body(ctx, ctx.project, row, endpoint.payload_version).await?;
    let Some(mut body) = body else { return Ok(None) };
    let is_cut = body.len() > SHOWN;
    body.truncate(body.floor_char_boundary(SHOWN));
    Ok(Some(WebhookDeliveryRequest { url: endpoint.url, header_names: names(&endpoint.header_names), body, is_cut }))
}
