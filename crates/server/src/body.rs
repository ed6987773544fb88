//! Reads request bodies: JSON objects with their wrapping key, within the route's size.

use crate::ApiError;
use axum::{
    body::{Body, Bytes},
    extract::Request,
    http::header,
};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde_json::{Map, Value};

/// What API routes take.
pub const API_LIMIT: usize = 1024 * 1024;
/// What routes take that carry a graph.
pub const GRAPH_LIMIT: usize = 12 * 1024 * 1024;

/// Reads at most `limit` bytes.
pub async fn read(body: Body, limit: usize) -> Result<Bytes, ApiError> {
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.downcast_ref::<LengthLimitError>().is_some() => Err(ApiError::TooLarge(limit)),
        Err(_) => Err(ApiError::Malformed("the body broke off".into())),
    }
}

/// Reads a JSON object. No body at all is an empty one, for routes whose body is optional.
pub async fn object(request: Request, limit: usize) -> Result<Map<String, Value>, ApiError> {
    let (parts, body) = request.into_parts();
    let declared =
        parts.headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if declared.is_some_and(|length| length > limit) {
        return Err(ApiError::TooLarge(limit));
    }
    let media = parts
        .headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .to_ascii_lowercase();
    let bytes = read(body, limit).await?;
    if bytes.is_empty() {
        return Ok(Map::new());
    }
    if !media.starts_with("application/json") {
        return Err(ApiError::MediaType);
    }
    match serde_json::from_slice(&bytes) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(ApiError::Malformed("the body must be a JSON object".into())),
        Err(error) => Err(ApiError::Malformed(format!("the body is not JSON: {error}"))),
    }
}

/// Reads the object under one of the wrapping keys.
pub async fn wrapped(request: Request, limit: usize, keys: &[&'static str]) -> Result<Map<String, Value>, ApiError> {
    let mut fields = object(request, limit).await?;
    let found = keys.iter().find_map(|key| fields.remove(*key));
    match found {
        Some(Value::Object(inner)) if !inner.is_empty() => Ok(inner),
        _ => Err(ApiError::Malformed(format!("Parameter {} is required", keys.first().copied().unwrap_or_default()))),
    }
}
