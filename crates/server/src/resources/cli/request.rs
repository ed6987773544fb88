//! `POST /api/cli/auth/request`

use crate::{
    ApiError, AppState,
    api::{
        RequestBody,
        body::{self, UNKNOWN_SENDER_LIMIT},
    },
};
use axum::{
    Json,
    extract::{Request, State},
    http::header,
};
use domain::cli_login;
use serde::{Deserialize, Serialize};
use store::{cli_logins, transact};
use utoipa::ToSchema;

/// URL and code of a sign-in.
#[derive(Serialize, ToSchema)]
pub(super) struct CliAuthRequest {
    #[schema(format = "uri")]
    auth_url: String,
    auth_code: String,
    /// Alias of `auth_url`.
    #[schema(format = "uri")]
    url: String,
    /// Alias of `auth_code`.
    code: String,
}

/// An empty object or an empty body.
#[derive(Deserialize, ToSchema)]
pub(super) struct CliNothing {}

impl RequestBody for CliNothing {
    const LIMIT: usize = UNKNOWN_SENDER_LIMIT;
}

/// Start a command-line sign-in
///
/// The code is valid for ten minutes and approved by `chasqui login approve CODE`. At most 1,000
/// codes can be pending.
#[utoipa::path(
    post, path = "/auth/request", operation_id = "cli_request_auth", tag = "CLI Support", security(()),
    request_body = Option<CliNothing>,
    responses((status = 200, description = "URL and code of the sign-in.", body = CliAuthRequest))
)]
pub(super) async fn handle(State(ctx): State<AppState>, request: Request) -> Result<Json<CliAuthRequest>, ApiError> {
    let base = ctx.base_url(request.headers().get(header::HOST));
    body::read::<CliNothing>(request).await?;
    let mut random = [0; 192];
    ctx.fill_random(&mut random);
    let code = cli_login::code_from(&random).ok_or_else(|| ApiError::Internal("no code was made".into()))?;
    let (hash, now) = (cli_login::hash(&code), ctx.now());
    transact!(ctx.store, "cli.login.begin", ApiError, tx => {
        cli_logins::begin(tx, &hash, now + cli_login::CODE_LIFETIME, now).await?;
        if cli_logins::waiting(tx).await? > cli_login::MOST_WAITING {
            return Err(ApiError::RateLimited);
        }
        Ok(())
    })?;
    let url = format!("{base}/cli/authorize/{code}");
    Ok(Json(CliAuthRequest { auth_url: url.clone(), auth_code: code.clone(), url, code }))
}
