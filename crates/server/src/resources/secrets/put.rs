//! `PUT /secrets/{name}`

use crate::{
    ApiError,
    api::{RequestBody, body},
    auth::ProjectContext,
    change::{Changed, change},
};
use axum::{
    extract::{Path, Request},
    http::StatusCode,
};
use runtime::secrets;
use serde::Deserialize;
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
pub(super) struct SecretUpdate {
    secret: NewSecret,
}

#[derive(Deserialize, ToSchema)]
struct NewSecret {
    /// Never returned.
    #[schema(min_length = 1, max_length = 4096)]
    value: String,
}

impl RequestBody for SecretUpdate {
    const WRAPPER: &'static [&'static str] = &["secret"];
}

/// Set a secret, used in webhooks as `{{secrets.name}}`
///
/// Creates or replaces it. Requests under way keep the earlier value.
#[utoipa::path(
    put, path = "/secrets/{name}", operation_id = "set_secret", tag = "Secrets", request_body = SecretUpdate,
    params(("name", description = "1 to 64 of A-Z, a-z, 0-9, _ and -.")),
    responses((status = 204, description = "Set."))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Path(name): Path<String>,
    request: Request,
) -> Result<Changed<StatusCode>, ApiError> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if name.is_empty() || name.len() > 64 || !name.chars().all(word) {
        return Err(ApiError::NotFound("Secret"));
    }
    let value = body::read::<SecretUpdate>(request).await?.secret.value;
    change!(ctx, "secret.set", tx => {
        secrets::set(&ctx, tx, ctx.project, &name, &value).await?;
        Ok(StatusCode::NO_CONTENT)
    })
}
