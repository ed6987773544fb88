//! `GET /webhook_endpoints`

use super::view::WebhookEndpoint;
use crate::{
    ApiError,
    api::{List, Page},
    auth::ProjectContext,
};
use store::hook_endpoints;

/// List all webhook endpoints of the project
///
/// Includes the webhooks of numbers, and the destination URLs of configs.
#[utoipa::path(
    get, path = "/webhook_endpoints", operation_id = "list_webhook_endpoints", tag = "Webhook Endpoints", params(List),
    responses((status = 200, description = "One page of endpoints.", body = Page<WebhookEndpoint>))
)]
pub(super) async fn handle(ctx: ProjectContext, list: List) -> Result<Page<WebhookEndpoint>, ApiError> {
    let mut reader = ctx.store.read().await?;
    let (rows, total) = hook_endpoints::list(&mut reader.conn(), ctx.project, list.range()).await?;
    Ok(list.page(rows.iter().map(WebhookEndpoint::of).collect(), total))
}
