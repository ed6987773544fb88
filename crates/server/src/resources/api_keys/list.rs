//! `GET /api_keys`

use super::view::ApiKey;
use crate::{
    ApiError,
    api::{List, Page},
    auth::ProjectContext,
};
use store::api_keys;

/// List API keys that are not revoked
///
/// Expired keys stay in the list until they are revoked.
#[utoipa::path(
    get, path = "/api_keys", operation_id = "list_api_keys", tag = "API Keys", params(List),
    responses((status = 200, description = "One page of keys.", body = Page<ApiKey>))
)]
pub(super) async fn handle(ctx: ProjectContext, list: List) -> Result<Page<ApiKey>, ApiError> {
    let (limit, offset) = list.range();
    let mut reader = ctx.store.read().await?;
    let mut conn = reader.conn();
    let (rows, total) = api_keys::page(&mut conn, ctx.project, limit, offset).await?;
    Ok(list.page(ApiKey::all(&mut conn, &rows).await?, total))
}
