//! Reading a control call: JSON bodies and the `since` of the logs.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::Uri,
};
use serde::de::DeserializeOwned;
use url::form_urlencoded;

use super::error::ControlError;

/// A JSON body, whatever the content type says; no body counts as `{}`.
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

/// One parameter of the query.
pub(crate) fn parameter(uri: &Uri, name: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// `since`, the last id the caller has seen; 0 when absent.
pub(crate) fn since(uri: &Uri) -> Result<u64, ControlError> {
    let Some(since) = parameter(uri, "since") else { return Ok(0) };
    since.parse().map_err(|_| ControlError::bad_request("since must be an id, a number"))
}
