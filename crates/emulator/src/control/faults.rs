//! Fault rules: add, list and remove them.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State as Shared},
};
use serde_json::{Value, json};

use super::{error::ControlError, input::Input};
use crate::{driver::Driver, faults::NewRule};

pub(crate) async fn list(Shared(driver): Shared<Arc<Driver>>) -> Json<Value> {
    Json(driver.with(|state| json!({"faults": state.faults.all()})))
}

/// Adds a rule after the existing ones. The answer has its id and counters.
pub(crate) async fn add(
    Shared(driver): Shared<Arc<Driver>>,
    Input(rule): Input<NewRule>,
) -> Result<Json<Value>, ControlError> {
    rule.check().map_err(ControlError::bad_request)?;
    let rule = driver.with(|state| state.faults.add(rule, &mut state.ids));
    let rule = rule.ok_or_else(|| ControlError::conflict("another rule has this id"))?;
    Ok(Json(json!(rule)))
}

pub(crate) async fn clear(Shared(driver): Shared<Arc<Driver>>) -> Json<Value> {
    driver.with(|state| state.faults.clear());
    Json(json!({"faults": []}))
}

pub(crate) async fn remove(
    Shared(driver): Shared<Arc<Driver>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ControlError> {
    if !driver.with(|state| state.faults.remove(&id)) {
        return Err(ControlError::not_found("rule not found"));
    }
    Ok(Json(json!({"removed": id})))
}
