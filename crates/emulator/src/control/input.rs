//! Parsing of control calls: JSON bodies and query parameters.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::Uri,
};
use serde::de::DeserializeOwned;
use url::form_urlencoded;

use super::error::ControlError;

/// JSON body of any content type; an empty body counts as `{}`.
pub(crate) struct Input<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Input<T> {
    type Rejection = ControlError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ControlError> {
        let bytes = Bytes::from_request(request, state).await;
        let bytes = bytes.map_err(|error| ControlError::bad_request(error.body_text()))?;
        let json = if bytes.is_empty() { b"{}" } else { bytes.as_ref() };
        match serde_json::from_slice(json) {
            Ok(value) => Ok(Self(value)),
            Err(error) => Err(ControlError::bad_request(error.to_string())),
        }
    }
}

/// Finds a query parameter.
pub(crate) fn parameter(uri: &Uri, name: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// Reads `since`, the last id that the caller has seen; 0 if absent.
pub(crate) fn since(uri: &Uri) -> Result<u64, ControlError> {
    let Some(since) = parameter(uri, "since") else { return Ok(0) };
    since.parse().map_err(|_| ControlError::bad_request("since must be a number: the last id that was read"))
}
