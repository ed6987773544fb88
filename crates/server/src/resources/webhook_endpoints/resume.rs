//! `POST /webhook_endpoints/{id}/resume`

use super::view::WebhookEndpoint;
use crate::{
    ApiError,
    api::Data,
    auth::ProjectContext,
    change::{Changed, change},
    found::{Found, OrNotFound as _},
};
use store::hook_endpoints::{self, HookEndpointRow};

/// Resume a paused webhook endpoint
///
/// Events that waited are delivered, each when its next attempt is due. One that is not paused
/// starts its three days again.
#[utoipa::path(
    post, path = "/webhook_endpoints/{id}/resume", operation_id = "resume_webhook_endpoint", tag = "Webhook Endpoints",
    params(("id" = uuid::Uuid, description = "Endpoint id.")),
    responses((status = 200, description = "The endpoint.", body = Data<WebhookEndpoint>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(endpoint): Found<HookEndpointRow>,
) -> Result<Changed<Data<WebhookEndpoint>>, ApiError> {
    let project = ctx.project;
    change!(ctx, "webhook_endpoint.resume", tx => {
        hook_endpoints::resume(tx, project, endpoint.id, ctx.now()).await?;
        let row = hook_endpoints::find(tx, project, endpoint.id).await?.found()?;
        Ok(Data { data: WebhookEndpoint::of(&row) })
    })
}
