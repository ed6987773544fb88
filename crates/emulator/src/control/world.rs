//! Health, state summary, reset and limits.

use std::sync::Arc;

use axum::{Json, extract::State as Shared};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{error::ControlError, input::Input};
use crate::{
    driver::Driver,
    limits::{Switches, WindowMode},
};

pub(crate) async fn health() -> Json<Value> {
    Json(json!({"status": "ok"}))
}

pub(crate) async fn state(Shared(driver): Shared<Arc<Driver>>) -> Json<Value> {
    Json(driver.with(|state| state.to_json()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reset {
    seed: Option<u64>,
}

/// Resets the emulator, with the same seed or another. The callback stays.
pub(crate) async fn reset(Shared(driver): Shared<Arc<Driver>>, Input(reset): Input<Reset>) -> Json<Value> {
    driver.reset(reset.seed).await;
    Json(driver.with(|state| state.to_json()))
}

pub(crate) async fn limits(Shared(driver): Shared<Arc<Driver>>) -> Json<Switches> {
    Json(driver.with(|state| state.limits.switches))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LimitChanges {
    pair_rate: Option<bool>,
    throughput: Option<bool>,
    messaging_tier: Option<bool>,
    window: Option<WindowMode>,
    throttle_http: Option<u16>,
}

/// Changes limits; absent fields stay.
pub(crate) async fn set_limits(
    Shared(driver): Shared<Arc<Driver>>,
    Input(changes): Input<LimitChanges>,
) -> Result<Json<Switches>, ControlError> {
    if !matches!(changes.throttle_http, None | Some(400 | 429)) {
        return Err(ControlError::bad_request("throttle_http must be 400 or 429"));
    }
    Ok(Json(driver.with(|state| {
        let switches = &mut state.limits.switches;
        switches.pair_rate = changes.pair_rate.unwrap_or(switches.pair_rate);
        switches.throughput = changes.throughput.unwrap_or(switches.throughput);
        switches.messaging_tier = changes.messaging_tier.unwrap_or(switches.messaging_tier);
        switches.window = changes.window.unwrap_or(switches.window);
        switches.throttle_http = changes.throttle_http.or(switches.throttle_http);
        *switches
    })))
}
