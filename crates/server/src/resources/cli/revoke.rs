//! `POST /api/cli/auth/revoke`

use super::request::CliNothing;
use crate::{ApiError, api::body, auth::UserContext};
use axum::{Json, extract::Request};
use serde::Serialize;
use store::{cli_logins, transact};
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
pub(super) struct CliRevoked {
    revoked: bool,
}

/// Revoke a token
///
/// API keys created with it stay valid.
#[utoipa::path(
    post, path = "/auth/revoke", operation_id = "cli_revoke_token", tag = "CLI Support", security(("CliToken" = [])),
    request_body = Option<CliNothing>,
    responses((status = 200, description = "The token is revoked.", body = CliRevoked))
)]
pub(super) async fn handle(ctx: UserContext, request: Request) -> Result<Json<CliRevoked>, ApiError> {
    body::read::<CliNothing>(request).await?;
    transact!(ctx.store, "cli.token.revoke", tx => cli_logins::revoke(tx, &ctx.token_lookup).await)?;
    Ok(Json(CliRevoked { revoked: true }))
}
