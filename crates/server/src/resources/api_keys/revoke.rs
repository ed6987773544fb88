//! `DELETE /api_keys/{api_key_id}`

use crate::{
    ApiError,
    auth::ProjectContext,
    change::{Changed, change},
    found::Found,
};
use axum::http::StatusCode;
use domain::event::Event;
use runtime::events;
use serde_json::json;
use store::api_keys::{self, KeyDetails};

/// Revoke an API key
///
/// Requests with it are refused at once on every node, and its streams close within 5 seconds.
#[utoipa::path(
    delete, path = "/api_keys/{api_key_id}", operation_id = "revoke_api_key", tag = "API Keys",
    params(("api_key_id", description = "Key id.")), responses((status = 204, description = "Revoked."))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(key): Found<KeyDetails>,
) -> Result<Changed<StatusCode>, ApiError> {
    let (project, now) = (ctx.project, ctx.now());
    change!(ctx, "api_key.revoke", tx => {
        if !api_keys::revoke(tx, project, key.id, now).await? {
            return Err(ApiError::NotFound("API key"));
        }
        events::append(&ctx, tx, project, Event::ApiKeyRevoked, key.id.uuid(), &json!({})).await?;
        Ok(StatusCode::NO_CONTENT)
    })
}
