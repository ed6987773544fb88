//! `POST /webhook_deliveries/replay`

use crate::{
    ApiError,
    api::{Data, RequestBody, Time, body},
    auth::ProjectContext,
    change::{Changed, change},
};
use axum::extract::Request;
use domain::{Id, Timestamp};
use serde::{Deserialize, Serialize};
use store::{hook_deliveries, hook_endpoints};
use utoipa::ToSchema;
use uuid::Uuid;

/// Deliveries of one transaction.
const AT_ONCE: i64 = 500;

#[derive(Deserialize, ToSchema)]
pub(super) struct WebhookReplayRequest {
    /// Only deliveries to this endpoint.
    #[schema(nullable = false)]
    webhook_endpoint_id: Option<Uuid>,
    /// Only deliveries of events at or after this time.
    #[schema(nullable = false)]
    created_from: Option<Time>,
    /// Only deliveries of events at or before this time.
    #[schema(nullable = false)]
    created_to: Option<Time>,
}

impl RequestBody for WebhookReplayRequest {}

/// Deliveries that are due again.
#[derive(Serialize, ToSchema)]
pub(super) struct WebhookReplay {
    replayed: i64,
    /// True if there are more; repeat the request.
    more: bool,
}

/// Deliver failed events again
///
/// All of the project, or those of an endpoint or a time. At most 500 at once.
#[utoipa::path(
    post, path = "/webhook_deliveries/replay", operation_id = "replay_failed_webhook_deliveries",
    tag = "Webhook Deliveries", request_body = WebhookReplayRequest,
    responses((status = 200, description = "How many are due again.", body = Data<WebhookReplay>))
)]
pub(super) async fn handle(ctx: ProjectContext, request: Request) -> Result<Changed<Data<WebhookReplay>>, ApiError> {
    let project = ctx.project;
    let sent = body::read::<WebhookReplayRequest>(request).await?;
    let endpoint = sent.webhook_endpoint_id.map(Id::from_uuid);
    let from = sent.created_from.map_or(Timestamp::from_micros(0), |time| time.0);
    let to = sent.created_to.map_or(Timestamp::from_micros(i64::MAX), Time::end);
    change!(ctx, "webhook_delivery.replay_failed", tx => {
        if let Some(endpoint) = endpoint
            && hook_endpoints::find(tx, project, endpoint).await?.is_none()
        {
            return Err(ApiError::invalid("/webhook_endpoint_id", "not_found", "there is no such webhook endpoint"));
        }
        let ids = hook_deliveries::failed(tx, project, endpoint, (from, to), AT_ONCE).await?;
        for id in &ids {
            hook_deliveries::replay(&mut tx.scope(project, ctx.now()), *id).await?;
        }
        let replayed = ids.len() as i64;
        Ok(Data { data: WebhookReplay { replayed, more: replayed == AT_ONCE } })
    })
}
