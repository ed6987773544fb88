//! `GET /api/cli/auth/verify`

use crate::auth::UserContext;
use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

/// User of the token.
#[derive(Serialize, ToSchema)]
pub(super) struct CliVerify {
    valid: bool,
    email: String,
}

/// Check a token
///
/// For command lines, to check a stored token before they use it.
#[utoipa::path(
    get, path = "/auth/verify", operation_id = "cli_verify_token", tag = "CLI Support", security(("CliToken" = [])),
    responses((status = 200, description = "The token is valid.", body = CliVerify))
)]
pub(super) async fn handle(ctx: UserContext) -> Json<CliVerify> {
    Json(CliVerify { valid: true, email: ctx.user.email })
}
