//! Clock: read it, move it, and wait until its effects are done.

use std::{sync::Arc, time::Duration};

use axum::{Json, extract::State as Shared};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{error::ControlError, input::Input};
use crate::{
    clock::{ClockMode, Millis},
    driver::{Driver, Quiescence},
};

const DEFAULT_TIMEOUT_MS: u64 = 10_000;
const MAX_TIMEOUT_MS: u64 = 600_000;

pub(crate) async fn read(Shared(driver): Shared<Arc<Driver>>) -> Json<Value> {
    Json(driver.with(|state| json!({"now": state.clock.now(), "mode": state.clock.mode()})))
}

/// Exactly one change per call.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Change {
    /// Forward by this much.
    AdvanceMs(Millis),
    /// Forward to this moment, Unix milliseconds.
    Set(Millis),
    /// Change the clock's mode.
    Mode(ClockMode),
}

/// Moves the clock; the timers on the way fire before the answer.
pub(crate) async fn set(
    Shared(driver): Shared<Arc<Driver>>,
    Input(change): Input<Change>,
) -> Result<Json<Value>, ControlError> {
    let fired = match change {
        Change::AdvanceMs(ms) => driver.advance(ms).await,
        Change::Set(at) => {
            if at < driver.with(|state| state.clock.now()) {
                return Err(ControlError::bad_request("the clock cannot go back; use POST /reset"));
            }
            driver.advance_to(at).await
        }
        Change::Mode(ClockMode::Scaled(0)) => {
            return Err(ControlError::bad_request("scaled must be at least 1"));
        }
        Change::Mode(mode) => {
            driver.with(|state| state.clock.set_mode(mode));
            0
        }
    };
    let now = driver.with(|state| state.clock.now());
    Ok(Json(json!({"now": now, "fired": fired})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Quiesce {
    timeout_ms: Option<u64>,
}

/// Waits until no timer is due and no post is open. A timeout is no error.
pub(crate) async fn quiesce(Shared(driver): Shared<Arc<Driver>>, Input(quiesce): Input<Quiesce>) -> Json<Quiescence> {
    let ms = quiesce.timeout_ms.unwrap_or(DEFAULT_TIMEOUT_MS).min(MAX_TIMEOUT_MS);
    Json(driver.quiesce(Duration::from_millis(ms)).await)
}
