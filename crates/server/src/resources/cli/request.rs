//! `POST /api/cli/auth/request`

use crate::{
    ApiError, AppState,
    api::{
        RequestBody,
        body::{self, UNKNOWN_SENDER_LIMIT},
        client_address::ClientAddress,
        rate::network_of,
    },
};
use axum::{
    Json,
    extract::{Request, State},
    http::header,
};
use domain::cli_login;
use serde::{Deserialize, Serialize};
use store::{
    cli_logins::{self, NewLogin},
    transact,
};
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

#[derive(Deserialize, ToSchema)]
pub(super) struct CliAuthStart {
    /// Name of the client, such as `laptop of Ana`, shown to the operator. Taken from `User-Agent`
    /// if absent.
    #[schema(max_length = 200)]
    #[serde(default)]
    client_name: Option<String>,
}

impl RequestBody for CliAuthStart {
    const LIMIT: usize = UNKNOWN_SENDER_LIMIT;
}

/// Start a command-line sign-in
///
/// The code is valid for ten minutes and approved by `chasqui login approve CODE`, which shows the
/// client's address, user agent and name. At most 20 codes of an address can be pending.
#[utoipa::path(
    post, path = "/auth/request", operation_id = "cli_request_auth", tag = "CLI Support", security(()),
    request_body = Option<CliAuthStart>,
    responses((status = 200, description = "URL and code of the sign-in.", body = CliAuthRequest))
)]
pub(super) async fn handle(State(ctx): State<AppState>, request: Request) -> Result<Json<CliAuthRequest>, ApiError> {
    let base = ctx.base_url(request.headers().get(header::HOST));
    let user_agent = request.headers().get(header::USER_AGENT).map(|text| text.to_str().unwrap_or_default());
    let user_agent = cli_login::description(user_agent.unwrap_or_default());
    let client_address = request.extensions().get().map(|ClientAddress(address)| *address);
    let name = body::read::<CliAuthStart>(request).await?.client_name.map(|name| cli_login::description(&name));
    let client = match name.filter(|name| !name.is_empty()) {
        Some(name) => name,
        None => user_agent.split([' ', '/']).next().unwrap_or_default().to_owned(),
    };
    let [address, network] = [client_address, client_address.map(network_of)]
        .map(|address| address.map(|address| address.to_string()).unwrap_or_default());
    let mut random = [0; 192];
    ctx.fill_random(&mut random);
    let code = cli_login::code_from(&random).ok_or_else(|| ApiError::Internal("no code was made".into()))?;
    let (hash, now) = (cli_login::hash(&code), ctx.now());
    let (user_agent, client) = (user_agent.as_str(), client.as_str());
    let login = NewLogin { code_hash: &hash, address: &address, network: &network, user_agent, client };
    transact!(ctx.store, "cli.login.begin", ApiError, tx => {
        cli_logins::begin(tx, login, now + cli_login::CODE_LIFETIME, now).await?;
        if cli_logins::waiting(tx, &network).await? > cli_login::MOST_WAITING {
            return Err(ApiError::RateLimited);
        }
        Ok(())
    })?;
    let url = format!("{base}/cli/authorize/{code}");
    Ok(Json(CliAuthRequest { auth_url: url.clone(), auth_code: code.clone(), url, code }))
}
