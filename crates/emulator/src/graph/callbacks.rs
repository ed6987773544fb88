//! Callbacks of an account or a number: they are asked for the handshake before they count.

use axum::http::Method;

use super::{call::Call, errors::GraphError};
use crate::{
    accounts::Override,
    driver::Runtime,
    webhooks::{Target, shake_hands},
};

/// Whose callback a call sets: `None` for the account.
struct Wanted<'a> {
    number: Option<&'a str>,
    url: &'a str,
    verify_token: &'a str,
}

/// Set the callback that a call asks for, if it answers. Calls that ask for none pass.
pub(super) async fn set(runtime: &Runtime, call: &Call) -> Result<(), GraphError> {
    let Some(wanted) = wanted(call) else { return Ok(()) };
    if !runtime.with(|state| call.token.as_ref().is_some_and(|token| state.accounts.tokens.contains_key(token))) {
        return Err(GraphError::bad_token());
    }
    let new = if wanted.url.is_empty() {
        None
    } else {
        let target = Target::parse(wanted.url, runtime.allow_remote_callback);
        let target = target.map_err(|error| GraphError::handshake(&error.to_string()))?;
        let (challenge, timeout) = runtime.with(|state| (state.ids.digits("challenge"), state.callback_timeout));
        let shaken = shake_hands(&runtime.http, &target.url, wanted.verify_token, &challenge, timeout).await;
        shaken.map_err(|problem| GraphError::handshake(&problem))?;
        Some(Override { target })
    };
    runtime.with(|state| match wanted.number {
        None => state.accounts.callback = new,
        Some(number) => {
            if let Some(number) = state.accounts.numbers.get_mut(number) {
                number.callback = new;
            }
        }
    });
    Ok(())
}

fn wanted(call: &Call) -> Option<Wanted<'_>> {
    if call.method != Method::POST {
        return None;
    }
    let segments: Vec<&str> = call.segments.iter().map(String::as_str).collect();
    match segments.as_slice() {
        [_, "subscribed_apps"] => Some(Wanted {
            number: None,
            url: call.parameter("override_callback_uri")?,
            verify_token: call.parameter("verify_token").unwrap_or_default(),
        }),
        [number] => {
            let configuration = call.body.as_ref()?.get("webhook_configuration")?;
            let text = |name: &str| configuration.get(name).and_then(serde_json::Value::as_str);
            let url = text("override_callback_uri")?;
            Some(Wanted { number: Some(number), url, verify_token: text("verify_token").unwrap_or_default() })
        }
        _ => None,
    }
}
