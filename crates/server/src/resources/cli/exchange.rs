//! `POST /api/cli/auth/exchange`

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
};
use domain::{api_key, cli_login};
use serde::{Deserialize, Serialize};
use store::{cli_logins, transact};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
pub(super) struct CliAuthExchange {
    #[schema(min_length = 1, max_length = 64, pattern = r"\S")]
    auth_code: String,
}

impl RequestBody for CliAuthExchange {
    const LIMIT: usize = UNKNOWN_SENDER_LIMIT;
}

/// The token; shown only here.
#[derive(Serialize, ToSchema)]
pub(super) struct CliToken {
    token: String,
}

/// Exchange an approved code for a token
///
/// Each code gives one token, valid for 90 days, with the rights that were approved. Clients poll until the code is approved.
#[utoipa::path(
    post, path = "/auth/exchange", operation_id = "cli_exchange_auth", tag = "CLI Support", security(()),
    request_body = CliAuthExchange,
    responses(
        (status = 200, description = "Approved.", body = CliToken),
        (status = 404, description = "`not_ready`: not approved yet, or the code is unknown, used or too old"),
    )
)]
pub(super) async fn handle(State(ctx): State<AppState>, request: Request) -> Result<Json<CliToken>, ApiError> {
    let code = body::read::<CliAuthExchange>(request).await?.auth_code;
    let mut random = [0; 256];
    ctx.fill_random(&mut random);
    let made = api_key::token_from_random(&random).ok_or_else(|| ApiError::Internal("no token was made".into()))?;
    let (hash, now) = (cli_login::hash(&code), ctx.now());
    transact!(ctx.store, "cli.login.exchange", ApiError, tx => {
        let login = cli_logins::take(tx, &hash, now).await?.ok_or(ApiError::NotReady)?;
        Ok(cli_logins::insert_token(tx, &made, &hash, login, now + cli_login::TOKEN_LIFETIME, now).await?)
    })?;
    Ok(Json(CliToken { token: made.text }))
}
