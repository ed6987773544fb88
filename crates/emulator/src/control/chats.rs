//! Chats, and statuses set by the caller.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State as Shared},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{error::ControlError, input::Input};
use crate::{
    driver::Driver,
    messages::{Direction, StatusKind},
};

/// Returns one chat, oldest message first. `in` is from the contact, `out` from the business.
pub(crate) async fn find(
    Shared(driver): Shared<Arc<Driver>>,
    Path((number, key)): Path<(String, String)>,
) -> Result<Json<Value>, ControlError> {
    driver.with(|state| {
        if state.world.number(&number).is_none() {
            return Err(ControlError::not_found("phone number not found"));
        }
        let user = state.users.find(&key);
        let user = user.ok_or_else(|| ControlError::not_found("user not found"))?;
        Ok(Json(state.chats.to_json(&number, &user.key, state.clock.now())))
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Forced {
    status: StatusKind,
    error_code: Option<u32>,
}

/// Reports a status now, regardless of the message's schedule.
pub(crate) async fn force_status(
    Shared(driver): Shared<Arc<Driver>>,
    Path(id): Path<String>,
    Input(forced): Input<Forced>,
) -> Result<Json<Value>, ControlError> {
    let failed = forced.status == StatusKind::Failed;
    if failed != forced.error_code.is_some() {
        return Err(ControlError::bad_request("error_code is required for failed and not allowed otherwise"));
    }
    let deliveries = driver.with(|state| {
        let message = state.chats.message(&id);
        if message.is_none_or(|message| message.direction != Direction::Out) {
            return Err(ControlError::not_found("no message of the business has this id"));
        }
        Ok(Vec::from_iter(state.report(&id, forced.status, forced.error_code)))
    })?;
    driver.settle().await;
    Ok(Json(json!({"deliveries": deliveries})))
}
