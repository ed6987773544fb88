//! `POST /api_keys`

use super::view::{ApiKey, IssuedApiKey, new_key};
use crate::{
    ApiError,
    api::{Data, RequestBody, Time, answer::Issued, body, roles::RoleName},
    auth::ProjectContext,
    change::{Changed, change},
    found::OrNotFound as _,
};
use axum::extract::Request;
use domain::{ids::ApiKeyId, role::Role};
use serde::Deserialize;
use store::api_keys::{self, KeySettings};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
pub(super) struct ApiKeyCreateRequest {
    api_key: ApiKeyFields,
}

impl RequestBody for ApiKeyCreateRequest {
    const WRAPPER: &'static [&'static str] = &["api_key"];
}

#[derive(Deserialize, ToSchema)]
struct ApiKeyFields {
    /// Purpose of the key, such as `shop server`.
    #[schema(min_length = 1, max_length = 120, pattern = r"\S")]
    name: String,
    /// Rights of the key.
    #[schema(value_type = RoleName)]
    role: String,
    /// The key is refused from then on. Null: it does not expire.
    #[schema(inline)]
    expires_at: Option<Time>,
}

/// Create an API key
///
/// Its secret is shown once.
#[utoipa::path(
    post, path = "/api_keys", operation_id = "create_api_key", tag = "API Keys", request_body = ApiKeyCreateRequest,
    responses(
        (status = 201, description = "The key with its secret.", body = Data<IssuedApiKey>),
        (status = 422, description = "Details: `in_the_past`"),
    )
)]
pub(super) async fn handle(ctx: ProjectContext, request: Request) -> Result<Changed<Issued<IssuedApiKey>>, ApiError> {
    let new = body::read::<ApiKeyCreateRequest>(request).await?.api_key;
    let role: Role = new.role.parse().map_err(|_| ApiError::invalid("/api_key/role", "invalid", "is unknown"))?;
    let (key, id, now): (_, ApiKeyId, _) = (new_key(&ctx)?, ctx.new_id(), ctx.now());
    let expires_at = new.expires_at.map(|time| time.0);
    if expires_at.is_some_and(|at| at <= now) {
        return Err(ApiError::invalid("/api_key/expires_at", "in_the_past", "must be in the future"));
    }
    let (project, user) = (ctx.project, ctx.principal.user());
    change!(ctx, "api_key.create", tx => {
        let with = KeySettings { name: new.name.trim(), role: Some(role), user, expires_at };
        api_keys::insert_with(tx, project, id, &key, with, now).await?;
        let row = api_keys::details(tx, project, id).await?.found()?;
        Ok(ApiKey::of(tx, &row).await?.issued(&key))
    })
}
