//! The Graph calls that were received.

use std::sync::Arc;

use axum::{Json, extract::State as Shared, http::Uri};
use serde_json::{Value, json};

use super::{
    error::ControlError,
    input::{parameter, since},
};
use crate::driver::Runtime;

/// The log, oldest first, after the id in `since`; `path` keeps the paths that contain it.
pub(crate) async fn list(Shared(runtime): Shared<Arc<Runtime>>, uri: Uri) -> Result<Json<Value>, ControlError> {
    let since = since(&uri)?;
    let path = parameter(&uri, "path");
    let requests = runtime.with(|state| state.requests.since(since, path.as_deref()));
    Ok(Json(json!({"requests": requests})))
}
