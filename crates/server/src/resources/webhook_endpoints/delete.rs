//! `DELETE /webhook_endpoints/{id}`

use super::{destination::remove, update::not_a_destination};
use crate::{
    ApiError,
    auth::ProjectContext,
    change::{Changed, change},
    found::{Found, OrNotFound as _},
};
use axum::http::StatusCode;
use store::hook_endpoints::{self, HookEndpointRow};

/// Delete a webhook endpoint
///
/// Events that were not delivered yet are dropped; the log of deliveries stays readable.
#[utoipa::path(
    delete, path = "/webhook_endpoints/{id}", operation_id = "delete_webhook_endpoint", tag = "Webhook Endpoints",
    params(("id" = uuid::Uuid, description = "Endpoint id.")),
    responses(
        (status = 204, description = "Deleted."),
        (status = 409, description = "`destination_url`: change the `webhook_destination_url` of the config instead"),
    )
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(endpoint): Found<HookEndpointRow>,
) -> Result<Changed<StatusCode>, ApiError> {
    let project = ctx.project;
    change!(ctx, "webhook_endpoint.delete", tx => {
        let row = hook_endpoints::lock(tx, project, endpoint.id).await?.found()?;
        not_a_destination(&row)?;
        remove(tx, project, &row).await?;
        Ok(StatusCode::NO_CONTENT)
    })
}
