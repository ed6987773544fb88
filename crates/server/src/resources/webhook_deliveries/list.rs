//! `GET /webhook_deliveries`

use super::view::{WebhookDelivery, WebhookDeliveryStatus};
use crate::{ApiError, api::Query, auth::ProjectContext};
use axum::{
    Json,
    response::{IntoResponse, Response},
};
use domain::Id;
use serde::{Deserialize, Serialize};
use store::hook_deliveries;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

#[derive(Deserialize, IntoParams)]
pub(super) struct Filters {
    /// Only deliveries to this endpoint.
    webhook_endpoint_id: Option<Uuid>,
    #[param(value_type = Option<WebhookDeliveryStatus>, inline)]
    status: Option<String>,
    /// Only older deliveries: `next_before` of the page before.
    #[param(value_type = Option<String>, pattern = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
    before: Option<Uuid>,
    /// Length of the page.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<i64>,
}

/// A page of the log, newest first.
#[derive(Serialize, ToSchema)]
pub(super) struct WebhookDeliveryPage {
    data: Vec<WebhookDelivery>,
    meta: WebhookDeliveryCursor,
}

/// Cursor of the next page.
#[derive(Serialize, ToSchema)]
struct WebhookDeliveryCursor {
    /// Null on the last page.
    next_before: Option<Uuid>,
}

/// List deliveries of outgoing webhooks, newest first
///
/// The log is kept for 30 days.
#[utoipa::path(
    get, path = "/webhook_deliveries", operation_id = "list_webhook_deliveries", tag = "Webhook Deliveries",
    params(Filters), responses((status = 200, description = "One page of deliveries.", body = WebhookDeliveryPage))
)]
pub(super) async fn handle(ctx: ProjectContext, query: Query<Filters>) -> Result<Response, ApiError> {
    let sent = query.0;
    let limit = sent.limit.unwrap_or(20);
    let page = hook_deliveries::Page {
        endpoint: sent.webhook_endpoint_id.map(Id::from_uuid),
        state: sent.status.as_deref().and_then(|word| word.parse().ok()),
        before: sent.before.map(Id::from_uuid),
        limit: limit + 1,
    };
    let mut rows = {
        let mut reader = ctx.store.read().await?;
        hook_deliveries::list(&mut reader.conn(), ctx.project, page).await?
    };
    let more = rows.len() as i64 > limit;
    rows.truncate(usize::try_from(limit).unwrap_or_default());
    let next_before = rows.last().filter(|_| more).map(|row| row.id.uuid());
    let data = rows.iter().map(WebhookDelivery::of).collect();
    Ok(Json(WebhookDeliveryPage { data, meta: WebhookDeliveryCursor { next_before } }).into_response())
}
