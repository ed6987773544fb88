//! `/{phone_number}/media`, `/{media}` and the download URLs.

use std::sync::Arc;

use axum::{
    extract::{Path, State as Shared},
    http::{
        HeaderMap, Method, StatusCode,
        header::{AUTHORIZATION, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{call::Call, errors::GraphError, multipart};
use crate::{
    driver::Driver,
    faults::{Action, Subject, Surface, cut_at},
    media::{File, UPLOAD_LIFETIME},
    state::State,
};

/// Size limits in bytes by media type; any other type is a document.
const LIMITS: [(&str, usize); 4] =
    [("image/webp", 500 << 10), ("image/", 5 << 20), ("video/", 16 << 20), ("audio/", 16 << 20)];
const LARGEST: usize = 100 << 20;

pub(super) fn upload(state: &mut State, number: &str, call: &Call) -> Result<Value, GraphError> {
    let parts = multipart::parts(&call.content_type, &call.bytes);
    let parts = parts.ok_or_else(|| GraphError::with(100, "The body must be a multipart form."))?;
    let field = |name: &str| parts.iter().find(|part| part.name == name);
    if field("messaging_product").is_none_or(|part| part.bytes.as_ref() != b"whatsapp") {
        return Err(GraphError::with(100, "Param messaging_product must be whatsapp."));
    }
    let file = field("file").ok_or_else(|| GraphError::with(131_008, "The parameter file is required."))?;
    let declared = field("type").map(|part| String::from_utf8_lossy(&part.bytes).into_owned());
    let mime_type =
        declared.or_else(|| file.content_type.clone()).unwrap_or_else(|| "application/octet-stream".to_owned());
    let limit = LIMITS.iter().find(|(kind, _)| mime_type.starts_with(kind)).map_or(LARGEST, |(_, limit)| *limit);
    if file.bytes.is_empty() || file.bytes.len() > limit {
        return Err(GraphError::with(131_053, format!("A file of type {mime_type} has 1 to {limit} bytes.")));
    }
    let file = File {
        number: number.to_owned(),
        mime_type,
        filename: file.filename.clone(),
        bytes: file.bytes.clone(),
        announced_size: None,
        expires_at: state.clock.now() + UPLOAD_LIFETIME,
    };
    Ok(json!({"id": state.media.add(&mut state.ids, None, file)}))
}

pub(super) fn node(state: &mut State, id: &str, call: &Call) -> Result<Value, GraphError> {
    let now = state.clock.now();
    let file = state.media.get(id, now).ok_or_else(GraphError::no_object)?;
    if call.parameter("phone_number_id").is_some_and(|number| number != file.number) {
        return Err(GraphError::no_object());
    }
    match call.method {
        Method::GET => {
            let url = state.media.url(&mut state.ids, id, &call.base, now);
            state.media.describe(id, &url, now).ok_or_else(GraphError::no_object)
        }
        Method::DELETE => {
            state.media.remove(id);
            Ok(json!({"success": true}))
        }
        _ => Err(GraphError::with(100, "Unsupported method.")),
    }
}

/// Serves the bytes of a download URL to callers with a valid access token.
pub(crate) async fn bytes(
    Shared(driver): Shared<Arc<Driver>>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Response {
    driver.with(|state| {
        let now = state.clock.now();
        let subject = Subject { surface: Some(Surface::MediaBytes), ..Subject::default() };
        let is_applicable = |action: &Action| matches!(action, Action::Error(_) | Action::Truncate { .. });
        let fault = state.faults.take(&subject, now, &mut state.ids, is_applicable).map(|(_, action)| action);
        if matches!(fault, Some(Action::Error(_))) {
            return StatusCode::NOT_FOUND.into_response();
        }
        let shown = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        if !shown.is_some_and(|shown| state.accounts.tokens.contains_key(shown)) {
            return StatusCode::UNAUTHORIZED.into_response();
        }
        match state.media.by_token(&token, now) {
            Some(file) => {
                let mut bytes = file.bytes.clone();
                if let Some(Action::Truncate { bytes: kept }) = fault {
                    bytes.truncate(cut_at(bytes.len(), kept));
                }
                ([(CONTENT_TYPE, file.mime_type.clone())], bytes).into_response()
            }
            None => StatusCode::NOT_FOUND.into_response(),
        }
    })
}
