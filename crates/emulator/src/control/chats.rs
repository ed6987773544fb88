//! What the phones show, and statuses by hand.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State as Shared},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{error::ControlError, input::Input};
use crate::{ids::Direction, driver::Runtime, statuses::StatusKind};

/// One conversation, oldest message first. `in` is from the person, `out` from the business.
pub(crate) async fn find(
    Shared(runtime): Shared<Arc<Runtime>>,
    Path((number, key)): Path<(String, String)>,
) -> Result<Json<Value>, ControlError> {
    runtime.with(|state| {
        if state.world.number(&number).is_none() {
            return Err(ControlError::not_found("no such phone number"));
        }
        let user = state.users.find(&key);
        let user = user.ok_or_else(|| ControlError::not_found("no such user"))?;
        Ok(Json(state.chats.to_json(&number, &user.key, state.clock.now())))
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Forced {
    status: StatusKind,
    error_code: Option<u32>,
}

/// Report a status now, whatever the message's own course is.
pub(crate) async fn force_status(
    Shared(runtime): Shared<Arc<Runtime>>,
    Path(id): Path<String>,
    Input(forced): Input<Forced>,
) -> Result<Json<Value>, ControlError> {
    let failed = forced.status == StatusKind::Failed;
    if failed != forced.error_code.is_some() {
        return Err(ControlError::bad_request("error_code goes with failed, and only with it"));
    }
    let deliveries = runtime.with(|state| {
        let message = state.chats.message(&id);
        if message.is_none_or(|message| message.direction != Direction::Out) {
            return Err(ControlError::not_found("no such message from the business"));
        }
        Ok(Vec::from_iter(state.report(&id, forced.status, forced.error_code)))
    })?;
    runtime.settle().await;
    Ok(Json(json!({"deliveries": deliveries})))
}
