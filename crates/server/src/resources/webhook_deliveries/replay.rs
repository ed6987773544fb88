//! `POST /webhook_deliveries/{id}/replay`

use super::view::WebhookDelivery;
use crate::{
    ApiError,
    api::Data,
    auth::ProjectContext,
    change::{Changed, change},
    found::{Found, OrNotFound as _},
};
use store::hook_deliveries::{self, HookDeliveryRow};

/// Deliver again
///
/// With the same id and the same body, from the start of the schedule. One that waits for its next
/// attempt is tried at once.
#[utoipa::path(
    post, path = "/webhook_deliveries/{id}/replay", operation_id = "replay_webhook_delivery", tag = "Webhook Deliveries",
    params(("id" = uuid::Uuid, description = "Delivery id.")),
    responses((status = 200, description = "The delivery.", body = Data<WebhookDelivery>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(row): Found<HookDeliveryRow>,
) -> Result<Changed<Data<WebhookDelivery>>, ApiError> {
    let project = ctx.project;
    change!(ctx, "webhook_delivery.replay", tx => {
        let row = hook_deliveries::replay(&mut tx.scope(project, ctx.now()), row.id).await?.found()?;
        Ok(Data { data: WebhookDelivery::of(&row) })
    })
}
