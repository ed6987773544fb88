//! The hops of a redirected request.

use super::{FailureCode, Refusal, Target, headers};
use bytes::Bytes;
use domain::{numbers, tool_request::ToolRequest};
use reqwest::{
    Method, Response, StatusCode,
    header::{CONTENT_TYPE, HeaderMap, LOCATION},
};
use serde_json::Value;
use url::Url;

#[derive(Debug, Clone)]
pub(super) struct Hop {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Bytes>,
    /// Then the body is for the first server only.
    holds_secrets: bool,
}

impl Hop {
    pub(super) fn first(request: &ToolRequest, holds_secrets: bool) -> Result<Self, Refusal> {
        let method = match request.method.to_ascii_uppercase().as_str() {
            "GET" => Method::GET,
            "POST" => Method::POST,
            "PUT" => Method::PUT,
            "PATCH" => Method::PATCH,
            "DELETE" => Method::DELETE,
            other => {
                let message = format!("{other} is not a method that tools may use");
                return Err(Refusal::blocked(message));
            }
        };
        let body = request.body.as_ref().map(|body| match body {
            Value::String(text) => Bytes::from(text.clone()),
            other => Bytes::from(numbers::unmarked(other.to_string())),
        });
        let (url, headers) = (super::target::parse(&request.url)?, headers::first(request));
        Ok(Self { method, url, headers, body, holds_secrets })
    }

    /// The next hop, if the response is a redirect.
    pub(super) fn after(&self, target: &Target, response: &Response) -> Result<Option<Self>, Refusal> {
        let status = response.status();
        if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
            return Ok(None);
        }
        let Some(location) = response.headers().get(LOCATION) else { return Ok(None) };
        let location = location.to_str().map_err(|_| Refusal::new(FailureCode::BadResponse, "redirected to no URL"))?;
        let url = target.url.join(location).map_err(super::target::no_url)?;
        if url.scheme() != target.url.scheme() {
            let message = format!("redirected from {} to {}", target.url.scheme(), url.scheme());
            return Err(Refusal::blocked(message));
        }
        let mut next = Self { url, ..self.clone() };
        if becomes_get(status, &self.method) {
            next.method = Method::GET;
            next.body = None;
            next.headers.remove(CONTENT_TYPE);
        }
        if !target.same_server(&next.url) {
            if next.holds_secrets && next.body.is_some() {
                let message = "redirected to another server, which must not get the body of a request with secrets";
                return Err(Refusal::blocked(message));
            }
            next.headers = headers::for_other_server(&next.headers);
        }
        Ok(Some(next))
    }
}

/// As in browsers: 303 always, 301 and 302 after a POST.
fn becomes_get(status: StatusCode, method: &Method) -> bool {
    match status {
        StatusCode::SEE_OTHER => true,
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => *method == Method::POST,
        _ => false,
    }
}
