//! Callback overrides of an account or a number, accepted only after a handshake.

use axum::http::Method;

use super::{call::Call, errors::GraphError};
use crate::{
    accounts::Override,
    driver::Driver,
    webhooks::{Target, verify_callback},
};

/// Callback override in a call.
struct Requested<'a> {
    /// `None` for the account.
    number: Option<&'a str>,
    url: &'a str,
    verify_token: &'a str,
}

/// Sets the callback in a call if it answers the handshake. Calls without one pass.
pub(super) async fn set(driver: &Driver, call: &Call) -> Result<(), GraphError> {
    let Some(requested) = requested(call) else { return Ok(()) };
    if !driver.with(|state| call.token.as_ref().is_some_and(|token| state.accounts.tokens.contains_key(token))) {
        return Err(GraphError::bad_token());
    }
    let new = if requested.url.is_empty() {
        None
    } else {
        let target = Target::parse(requested.url, driver.allow_remote_callback);
        let target = target.map_err(|error| GraphError::handshake(&error.to_string()))?;
        let (challenge, timeout) = driver.with(|state| (state.ids.digits("challenge"), state.callback_timeout));
        let verified = verify_callback(&driver.http, &target.url, requested.verify_token, &challenge, timeout).await;
        verified.map_err(|problem| GraphError::handshake(&problem))?;
        Some(Override { target })
    };
    driver.with(|state| match requested.number {
        None => state.accounts.callback = new,
        Some(number) => {
            if let Some(number) = state.accounts.numbers.get_mut(number) {
                number.callback = new;
            }
        }
    });
    Ok(())
}

fn requested(call: &Call) -> Option<Requested<'_>> {
    if call.method != Method::POST {
        return None;
    }
    let segments: Vec<&str> = call.segments.iter().map(String::as_str).collect();
    match segments.as_slice() {
        [_, "subscribed_apps"] => Some(Requested {
            number: None,
            url: call.parameter("override_callback_uri")?,
            verify_token: call.parameter("verify_token").unwrap_or_default(),
        }),
        [number] => {
            let configuration = call.body.as_ref()?.get("webhook_configuration")?;
            let text = |name: &str| configuration.get(name).and_then(serde_json::Value::as_str);
            let url = text("override_callback_uri")?;
            Some(Requested { number: Some(number), url, verify_token: text("verify_token").unwrap_or_default() })
        }
        _ => None,
    }
}
