//! Time: reading it, moving it, and waiting until everything that it caused is done.

use std::{sync::Arc, time::Duration};

use axum::{Json, extract::State as Shared};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{error::ControlError, input::Input};
use crate::{
    clock::{ClockMode, Millis},
    driver::{Quiescence, Runtime},
};

const DEFAULT_PATIENCE_MS: u64 = 10_000;
const LONGEST_PATIENCE_MS: u64 = 600_000;

pub(crate) async fn read(Shared(runtime): Shared<Arc<Runtime>>) -> Json<Value> {
    Json(runtime.with(|state| json!({"now": state.clock.now(), "mode": state.clock.mode()})))
}

/// Exactly one of them.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Change {
    /// Forward by this much.
    AdvanceMs(Millis),
    /// Forward to this moment, Unix milliseconds.
    Set(Millis),
    /// Let something else move the clock from now on.
    Mode(ClockMode),
}

/// Move the clock; the timers on the way fire before the answer.
pub(crate) async fn set(
    Shared(runtime): Shared<Arc<Runtime>>,
    Input(change): Input<Change>,
) -> Result<Json<Value>, ControlError> {
    let fired = match change {
        Change::AdvanceMs(ms) => runtime.advance(ms).await,
        Change::Set(at) => {
            if at < runtime.with(|state| state.clock.now()) {
                return Err(ControlError::bad_request("the clock does not go back; use reset"));
            }
            runtime.advance_to(at).await
        }
        Change::Mode(ClockMode::Scaled(0)) => {
            return Err(ControlError::bad_request("scaled must be at least 1"));
        }
        Change::Mode(mode) => {
            runtime.with(|state| state.clock.set_mode(mode));
            0
        }
    };
    let now = runtime.with(|state| state.clock.now());
    Ok(Json(json!({"now": now, "fired": fired})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Patience {
    timeout_ms: Option<u64>,
}

/// Wait until nothing is due or in flight. Running out of time is an answer, not an error.
pub(crate) async fn quiesce(
    Shared(runtime): Shared<Arc<Runtime>>,
    Input(patience): Input<Patience>,
) -> Json<Quiescence> {
    let ms = patience.timeout_ms.unwrap_or(DEFAULT_PATIENCE_MS).min(LONGEST_PATIENCE_MS);
    Json(runtime.quiesce(Duration::from_millis(ms)).await)
}
