//! Reads request bodies: within the route's size, as strict JSON, under their wrapping key, valid by their schema.

use super::{Problems, facts::Facts, json, schema};
use crate::ApiError;
use axum::{
    body::{Body, Bytes},
    extract::Request,
    http::{header, request::Parts},
};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use utoipa::ToSchema;

/// What API routes take, in bytes.
pub(crate) const API_LIMIT: usize = 1024 * 1024;
/// What routes take that carry a graph, in bytes.
pub(crate) const GRAPH_LIMIT: usize = 12 * 1024 * 1024;

/// The whole body of a request. Its schema is shown in the document and checks what is sent; unknown keys are ignored.
pub(crate) trait RequestBody: DeserializeOwned + ToSchema + 'static {
    /// The wrapping key, then other spellings of it that clients send; none for bodies without one.
    const WRAPPER: &'static [&'static str] = &[];
    /// Whether the wrapped object may hold nothing.
    const MAY_BE_EMPTY: bool = false;
    /// The most bytes.
    const LIMIT: usize = API_LIMIT;

    /// Notes what no schema can say, in the body as it was sent: called also when the schema found problems, so that
    /// all are told at once. Nothing here may need the database.
    fn check(_body: &Value, _problems: &mut Problems) {}
}

/// Reads and checks a body. No bytes at all are an empty object, for routes whose body is optional.
///
/// 413 too large, 415 not JSON by its type, 400 not JSON or without its wrapper, 422 with all problems of its values.
pub(crate) async fn read<T: RequestBody>(request: Request) -> Result<T, ApiError> {
    let (parts, body) = request.into_parts();
    let mut value = Value::Object(object(&parts, body, T::LIMIT).await?);
    unwrap::<T>(&mut value)?;
    let mut problems = Problems::default();
    problems.extend_under("", schema::of::<T>()?.problems(&value));
    T::check(&value, &mut problems);
    problems.done()?;
    serde_json::from_value(value).map_err(|error| ApiError::Internal(format!("a valid body was not read: {error}")))
}

/// Reads at most `limit` bytes.
pub(crate) async fn bytes(body: Body, limit: usize) -> Result<Bytes, ApiError> {
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.downcast_ref::<LengthLimitError>().is_some() => Err(ApiError::TooLarge(limit)),
        Err(_) => Err(ApiError::Malformed("the body broke off".into())),
    }
}

async fn object(parts: &Parts, body: Body, limit: usize) -> Result<Map<String, Value>, ApiError> {
    let text = |name| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if text(header::CONTENT_LENGTH).parse::<usize>().is_ok_and(|length| length > limit) {
        return Err(ApiError::TooLarge(limit));
    }
    let bytes = bytes(body, limit).await?;
    if let Some(facts) = parts.extensions.get::<Arc<Facts>>() {
        let _ = facts.body_hash.set(Sha256::digest(&bytes).into());
    }
    if bytes.is_empty() {
        return Ok(Map::new());
    }
    let media = text(header::CONTENT_TYPE).split(';').next().unwrap_or_default().trim();
    if !media.eq_ignore_ascii_case("application/json") {
        return Err(ApiError::MediaType);
    }
    match json::parse(&bytes)? {
        Value::Object(fields) => Ok(fields),
        _ => Err(ApiError::Malformed("the body must be a JSON object".into())),
    }
}

/// Sees that the wrapping key is there, and gives it its own spelling.
fn unwrap<T: RequestBody>(body: &mut Value) -> Result<(), ApiError> {
    let Some(wrapper) = T::WRAPPER.first() else { return Ok(()) };
    let found = T::WRAPPER.iter().find_map(|key| body.as_object_mut()?.remove(*key));
    match found {
        Some(Value::Object(inner)) if T::MAY_BE_EMPTY || !inner.is_empty() => {
            body[*wrapper] = Value::Object(inner);
            Ok(())
        }
        _ => Err(ApiError::Malformed(format!("Parameter {wrapper} is required"))),
    }
}
