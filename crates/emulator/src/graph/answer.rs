//! An answer on its way to HTTP, with the headers every Graph answer has.

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header::CONTENT_TYPE},
    response::Response,
};
use serde_json::Value;

use super::errors::GraphError;

/// What is answered.
pub(crate) enum Answer {
    Success(Value),
    Refused(GraphError),
    /// A gateway in front of the API failed; its page is not JSON.
    BadGateway,
}

impl From<Result<Value, GraphError>> for Answer {
    fn from(result: Result<Value, GraphError>) -> Self {
        match result {
            Ok(body) => Self::Success(body),
            Err(error) => Self::Refused(error),
        }
    }
}

impl Answer {
    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::Success(_) => 200,
            Self::Refused(error) => error.http,
            Self::BadGateway => 502,
        }
    }

    pub(crate) fn error_code(&self) -> Option<u32> {
        match self {
            Self::Refused(error) => Some(error.code),
            Self::Success(_) | Self::BadGateway => None,
        }
    }

    pub(crate) fn into_response(self, trace: &str, version: &str) -> Response {
        let status = StatusCode::from_u16(self.status()).unwrap_or(StatusCode::BAD_REQUEST);
        let (kind, body) = match &self {
            Self::Success(body) => ("application/json; charset=UTF-8", body.to_string()),
            Self::Refused(error) => ("application/json; charset=UTF-8", error.body(trace).to_string()),
            Self::BadGateway => ("text/html", "<html><body>Bad gateway</body></html>".to_owned()),
        };
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        let mut extra = vec![("x-fb-trace-id", trace), ("facebook-api-version", version)];
        if let Self::Refused(error) = &self {
            extra.extend(error.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        }
        for (name, value) in extra {
            // A fault rule may name a header that HTTP does not allow; it is left out.
            let name = HeaderName::from_bytes(name.as_bytes());
            if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
                headers.insert(name, value);
            }
        }
        response
    }
}
