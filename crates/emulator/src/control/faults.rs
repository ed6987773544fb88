//! Fault rules: adding, listing and removing them.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State as Shared},
};
use serde_json::{Value, json};

use super::{error::ControlError, input::Input};
use crate::{faults::NewRule, driver::Runtime};

pub(crate) async fn list(Shared(runtime): Shared<Arc<Runtime>>) -> Json<Value> {
    Json(runtime.with(|state| json!({"faults": state.faults.all()})))
}

/// Add a rule behind the existing ones; the answer has its id and counters.
pub(crate) async fn add(
    Shared(runtime): Shared<Arc<Runtime>>,
    Input(rule): Input<NewRule>,
) -> Result<Json<Value>, ControlError> {
    rule.check().map_err(ControlError::bad_request)?;
    let rule = runtime.with(|state| state.faults.add(rule, &mut state.ids));
    let rule = rule.ok_or_else(|| ControlError::conflict("a rule has this id"))?;
    Ok(Json(json!(rule)))
}

pub(crate) async fn clear(Shared(runtime): Shared<Arc<Runtime>>) -> Json<Value> {
    runtime.with(|state| state.faults.clear());
    Json(json!({"faults": []}))
}

pub(crate) async fn remove(
    Shared(runtime): Shared<Arc<Runtime>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ControlError> {
    if !runtime.with(|state| state.faults.remove(&id)) {
        return Err(ControlError::not_found("no such rule"));
    }
    Ok(Json(json!({"removed": id})))
}
