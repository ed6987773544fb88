//! Log of the received Graph calls.

use std::sync::Arc;

use axum::{Json, extract::State as Shared, http::Uri};
use serde_json::{Value, json};

use super::{
    error::ControlError,
    input::{parameter, since},
};
use crate::driver::Driver;

/// Lists calls after the id in `since`, oldest first; `path` keeps paths that contain it.
pub(crate) async fn list(Shared(driver): Shared<Arc<Driver>>, uri: Uri) -> Result<Json<Value>, ControlError> {
    let since = since(&uri)?;
    let path = parameter(&uri, "path");
    let requests = driver.with(|state| state.requests.since(since, path.as_deref()));
    Ok(Json(json!({"requests": requests})))
}
