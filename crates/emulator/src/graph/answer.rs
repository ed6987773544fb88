//! Graph answers and their conversion to HTTP.

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header::CONTENT_TYPE},
    response::Response,
};
use serde_json::Value;

use super::errors::GraphError;
use crate::faults::cut_at;

const JSON: &str = "application/json; charset=UTF-8";

pub(crate) enum Answer {
    Success(Value),
    Refused(GraphError),
    /// Failure of a gateway in front of the API: an HTML page.
    BadGateway,
    /// Processed, then the body was truncated.
    Cut(Result<Value, GraphError>, Option<usize>),
    /// Processed, then the body was made invalid JSON.
    BadJson(Result<Value, GraphError>),
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
            Self::Refused(error) | Self::Cut(Err(error), _) | Self::BadJson(Err(error)) => error.http,
            Self::Cut(Ok(_), _) | Self::BadJson(Ok(_)) => 200,
            Self::BadGateway => 502,
        }
    }

    pub(crate) fn error_code(&self) -> Option<u32> {
        match self {
            Self::Refused(error) => Some(error.code),
            Self::Success(_) | Self::BadGateway | Self::Cut(..) | Self::BadJson(_) => None,
        }
    }

    pub(crate) fn into_response(self, trace: &str, version: &str) -> Response {
        let status = StatusCode::from_u16(self.status()).unwrap_or(StatusCode::BAD_REQUEST);
        let (kind, body) = match &self {
            Self::Success(body) => (JSON, body.to_string()),
            Self::Refused(error) => (JSON, error.body(trace).to_string()),
            Self::Cut(result, bytes) => {
                let whole = written(result, trace);
                (JSON, whole[..whole.floor_char_boundary(cut_at(whole.len(), *bytes))].to_owned())
            }
            Self::BadJson(result) => (JSON, format!("{}}}{{", written(result, trace))),
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
            // A header of a fault rule that HTTP does not allow is skipped.
            let name = HeaderName::from_bytes(name.as_bytes());
            if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
                headers.insert(name, value);
            }
        }
        response
    }
}

fn written(result: &Result<Value, GraphError>, trace: &str) -> String {
    match result {
        Ok(body) => body.to_string(),
        Err(error) => error.body(trace).to_string(),
    }
}
