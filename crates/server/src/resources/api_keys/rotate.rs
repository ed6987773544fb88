//! `POST /api_keys/{api_key_id}/rotate`

use super::view::{ApiKey, IssuedApiKey, new_key};
use crate::{
    ApiError,
    api::{Data, RequestBody, answer::Issued, body},
    auth::ProjectContext,
    change::{Changed, change},
    found::{Found, OrNotFound as _},
};
use axum::extract::Request;
use domain::{Span, event::Event, ids::ApiKeyId};
use runtime::events;
use serde::Deserialize;
use serde_json::json;
use store::api_keys::{self, KeyDetails};
use utoipa::ToSchema;

/// A day: time to bring the new key to all places.
const OVERLAP: i64 = 24 * 60 * 60;

#[derive(Deserialize, ToSchema)]
pub(super) struct ApiKeyRotateRequest {
    /// Seconds for which the old key stays valid; a day if absent.
    #[schema(minimum = 0, maximum = 2_592_000, nullable = false)]
    overlap_seconds: Option<i64>,
}

impl RequestBody for ApiKeyRotateRequest {}

/// Replace an API key
///
/// The new key has the old one's name, role and lifetime. The old one stays valid for the overlap.
#[utoipa::path(
    post, path = "/api_keys/{api_key_id}/rotate", operation_id = "rotate_api_key", tag = "API Keys",
    params(("api_key_id", description = "Key id.")), request_body = Option<ApiKeyRotateRequest>,
    responses((status = 201, description = "The new key with its secret.", body = Data<IssuedApiKey>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(old): Found<KeyDetails>,
    request: Request,
) -> Result<Changed<Issued<IssuedApiKey>>, ApiError> {
    let overlap = body::read::<ApiKeyRotateRequest>(request).await?.overlap_seconds.unwrap_or(OVERLAP);
    let (key, id, now): (_, ApiKeyId, _) = (new_key(&ctx)?, ctx.new_id(), ctx.now());
    let (project, user) = (ctx.project, ctx.principal.user());
    change!(ctx, "api_key.rotate", tx => {
        if !api_keys::rotate(tx, project, old.id, (id, &key), user, Span::from_secs(overlap), now).await? {
            return Err(ApiError::NotFound("API key"));
        }
        if overlap == 0 {
            events::append(&ctx, tx, project, Event::ApiKeyRevoked, old.id.uuid(), &json!({})).await?;
        }
        let row = api_keys::details(tx, project, id).await?.found()?;
        Ok(ApiKey::of(tx, &row).await?.issued(&key))
    })
}
