//! Sign-up of a business: the dialog, which agrees at once, and the exchange of its code for a token.

use axum::{
    body::Body,
    http::{StatusCode, header},
    response::Response,
};
use serde_json::{Value, json};
use url::Url;

use super::{call::Call, errors::GraphError};
use crate::{
    accounts::{SCOPES, Token},
    state::State,
};

/// Subcode of a code that is unknown or was used.
const WRONG_CODE: u32 = 36_009;
/// Subcode of another redirect URI than that of the dialog.
const WRONG_REDIRECT: u32 = 36_008;

/// `GET /dialog/oauth`: sends the browser back with a code, as if a person had agreed.
pub(super) fn dialog(state: &mut State, call: &Call) -> Result<Response, GraphError> {
    check_app(state, call)?;
    let asked = call.parameter("redirect_uri").unwrap_or_default().to_owned();
    let url = Url::parse(&asked).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let mut url = url.ok_or_else(|| GraphError::with(100, "The parameter redirect_uri is required."))?;
    let code = format!("AQ{}", state.ids.digits("code"));
    url.query_pairs_mut().append_pair("code", &code);
    if let Some(sent) = call.parameter("state") {
        url.query_pairs_mut().append_pair("state", sent);
    }
    state.accounts.codes.insert(code, asked);
    let response = Response::builder().status(StatusCode::FOUND).header(header::LOCATION, url.as_str());
    response.body(Body::empty()).map_err(|_| GraphError::new(100))
}

/// `/oauth/access_token`: each code gives one token.
pub(super) fn exchange(state: &mut State, call: &Call) -> Result<Value, GraphError> {
    check_app(state, call)?;
    if call.parameter("client_secret") != Some(state.world.app_secret.as_str()) {
        return Err(GraphError::with(1, "Error validating client secret."));
    }
    let code = call.parameter("code").unwrap_or_default();
    let Some(redirect) = state.accounts.codes.get(code) else {
        return Err(GraphError::refused_code(WRONG_CODE, "This authorization code has been used or is unknown."));
    };
    if call.parameter("redirect_uri") != Some(redirect.as_str()) {
        return Err(GraphError::refused_code(WRONG_REDIRECT, "The redirect_uri is not that of the dialog."));
    }
    state.accounts.codes.remove(code);
    let token = format!("EAASIGNUP{}", state.ids.digits("token"));
    let scopes = SCOPES.iter().map(|scope| (*scope).to_owned()).collect();
    state.accounts.tokens.insert(token.clone(), Token { scopes, expires_at: None });
    Ok(json!({"access_token": token, "token_type": "bearer"}))
}

fn check_app(state: &State, call: &Call) -> Result<(), GraphError> {
    match call.parameter("client_id") == Some(state.world.app_id.as_str()) {
        true => Ok(()),
        false => Err(GraphError::with(101, "Error validating application. Cannot get application info.")),
    }
}
