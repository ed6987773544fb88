//! `POST /webhook_endpoints/{id}/test`

use crate::{
    ApiError,
    api::{Created, Data},
    auth::ProjectContext,
    change::{Changed, change},
    found::Found,
    resources::webhook_deliveries::WebhookDelivery,
};
use runtime::hooks;
use store::{hook_deliveries, hook_endpoints::HookEndpointRow};

/// Send a test event to a webhook endpoint
///
/// The event is `webhook.test`. It is retried like any other; read its delivery for the result.
#[utoipa::path(
    post, path = "/webhook_endpoints/{id}/test", operation_id = "test_webhook_endpoint", tag = "Webhook Endpoints",
    params(("id" = uuid::Uuid, description = "Endpoint id.")),
    responses((status = 201, description = "The delivery.", body = Data<WebhookDelivery>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(endpoint): Found<HookEndpointRow>,
) -> Result<Changed<Created<WebhookDelivery>>, ApiError> {
    let project = ctx.project;
    change!(ctx, "webhook_endpoint.test", tx => {
        let delivery = hooks::test(&ctx, tx, project, &endpoint, ctx.now()).await?;
        let row = match delivery {
            Some(id) => hook_deliveries::find(tx, project, id).await?,
            None => None,
        };
        Ok(Created(WebhookDelivery::of(&row.ok_or(ApiError::NotFound("Webhook delivery"))?)))
    })
}
