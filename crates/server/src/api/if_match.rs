//! `ETag` and `If-Match`: refuses changes based on an older version.

use super::answer::Answer;
use crate::ApiError;
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde_json::Value;
use std::convert::Infallible;

/// Versions that the client accepts; none named means any.
pub(crate) struct IfMatch(Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(named(&parts.headers)))
    }
}

fn named(headers: &HeaderMap) -> Option<String> {
    let all: Vec<&str> = headers.get_all(header::IF_MATCH).iter().filter_map(|value| value.to_str().ok()).collect();
    if all.is_empty() { None } else { Some(all.join(",")) }
}

impl IfMatch {
    /// `409 stale` unless this version is named.
    pub(crate) fn check(&self, version: i64) -> Result<(), ApiError> {
        let Some(named) = &self.0 else { return Ok(()) };
        let fits = |tag: &str| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag(version);
        if named.split(',').map(str::trim).any(fits) {
            return Ok(());
        }
        let why = "it changed since the version in If-Match; read it again";
        Err(ApiError::conflict("stale", "Resource was changed meanwhile", why))
    }
}

fn etag(version: i64) -> String {
    format!("\"{version}\"")
}

/// An answer with the resource's version as `ETag`.
pub(crate) struct Versioned<A>(pub(crate) A, pub(crate) i64);

impl<A: IntoResponse> IntoResponse for Versioned<A> {
    fn into_response(self) -> Response {
        let mut response = self.0.into_response();
        if let Ok(value) = HeaderValue::from_str(&etag(self.1)) {
            response.headers_mut().insert(header::ETAG, value);
        }
        response
    }
}

impl<A: Answer> Answer for Versioned<A> {
    fn status(&self) -> StatusCode {
        self.0.status()
    }
    fn body(&self) -> serde_json::Result<Value> {
        self.0.body()
    }
}
