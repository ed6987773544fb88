//! Webhooks: send a raw one, list, redeliver and flush deliveries, set the callback.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State as Shared},
    http::Uri,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    error::ControlError,
    input::{Input, since},
};
use crate::{
    driver::Driver,
    timers::Job,
    webhooks::{AttemptKind, Delivery, DeliveryState, Event, Target, ascii_json, envelope, verify_callback},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Raw {
    field: Option<String>,
    value: Option<Value>,
    body: Option<Value>,
}

/// Sends a webhook without an event: one `field` and `value`, or a whole `body`. A string `body` is
/// sent as its bytes.
pub(crate) async fn raw(
    Shared(driver): Shared<Arc<Driver>>,
    Input(raw): Input<Raw>,
) -> Result<Json<Value>, ControlError> {
    let id = driver.with(|state| {
        let bytes = match raw {
            Raw { body: Some(Value::String(text)), field: None, value: None } => Bytes::from(text),
            Raw { body: Some(body), field: None, value: None } => ascii_json(&body),
            Raw { body: None, field: Some(field), value: Some(value) } => {
                // Only webhooks of the field `messages` have no time.
                let time = (field != "messages").then(|| state.clock.now() / 1000);
                ascii_json(&envelope(&state.world, &field, value, time))
            }
            _ => return Err(ControlError::bad_request("field and value, or body, are required")),
        };
        let event = Event { name: "raw".to_owned(), ..Event::default() };
        Ok(state.emit_bytes(event, bytes))
    })?;
    driver.settle().await;
    Ok(Json(json!({"deliveries": [id]})))
}

/// Lists the delivery log after the id in `since`, oldest first.
pub(crate) async fn list(Shared(driver): Shared<Arc<Driver>>, uri: Uri) -> Result<Json<Value>, ControlError> {
    let since = since(&uri)?;
    let deliveries: Vec<Value> = driver.with(|state| state.deliveries.since(since).map(Delivery::to_json).collect());
    Ok(Json(json!({"deliveries": deliveries})))
}

/// Sends a delivery's bytes and signature once more.
pub(crate) async fn redeliver(
    Shared(driver): Shared<Arc<Driver>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ControlError> {
    let id = id.parse::<u64>().map_err(|_| ControlError::not_found("delivery not found"))?;
    driver.with(|state| {
        if state.deliveries.get(id).is_none() {
            return Err(ControlError::not_found("delivery not found"));
        }
        if state.target.is_none() {
            return Err(ControlError::conflict("no callback is set; set one with PUT /webhooks/config"));
        }
        let job = Job::Attempt { delivery: id, kind: AttemptKind::Extra, copies: 1 };
        state.timers.push(state.clock.now(), job);
        Ok(())
    })?;
    driver.settle().await;
    Ok(Json(json!({"deliveries": [id]})))
}

/// Attempts all pending and held deliveries now.
pub(crate) async fn flush(Shared(driver): Shared<Arc<Driver>>) -> Result<Json<Value>, ControlError> {
    let deliveries = driver.with(|state| {
        if state.target.is_none() {
            return Err(ControlError::conflict("no callback is set; set one with PUT /webhooks/config"));
        }
        let open = state.deliveries.open();
        let now = state.clock.now();
        for (id, was) in &open {
            // A pending delivery keeps its own retry sequence; a held one starts it here.
            let kind = match was {
                DeliveryState::Held => AttemptKind::Regular,
                _ => AttemptKind::Extra,
            };
            if let Some(delivery) = state.deliveries.get_mut(*id) {
                delivery.state = DeliveryState::Pending;
            }
            state.timers.push(now, Job::Attempt { delivery: *id, kind, copies: 1 });
        }
        Ok(open.into_iter().map(|(id, _)| id).collect::<Vec<u64>>())
    })?;
    driver.settle().await;
    Ok(Json(json!({"deliveries": deliveries})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Configuration {
    callback_url: String,
    verify_token: Option<String>,
    timeout_ms: Option<u64>,
}

/// Sets the callback if it answers the handshake; otherwise nothing changes.
pub(crate) async fn configure(
    Shared(driver): Shared<Arc<Driver>>,
    Input(new): Input<Configuration>,
) -> Result<Json<Value>, ControlError> {
    let target = Target::parse(&new.callback_url, driver.allow_remote_callback)
        .map_err(|error| ControlError::bad_request(error.to_string()))?;
    if !matches!(new.timeout_ms, None | Some(1..=60_000)) {
        return Err(ControlError::bad_request("timeout_ms must be 1 to 60000"));
    }
    let (verify_token, timeout, challenge) = driver.with(|state| {
        let token = new.verify_token.clone().unwrap_or_else(|| state.verify_token.clone());
        let timeout = new.timeout_ms.map_or(state.callback_timeout, Duration::from_millis);
        (token, timeout, state.ids.digits("challenge"))
    });
    verify_callback(&driver.http, &target.url, &verify_token, &challenge, timeout)
        .await
        .map_err(|problem| ControlError::handshake(&problem))?;
    let url = target.url.to_string();
    driver.with(|state| {
        state.target = Some(target);
        state.verify_token = verify_token;
        state.callback_timeout = timeout;
    });
    Ok(Json(json!({"callback_url": url, "timeout_ms": timeout.as_millis()})))
}
