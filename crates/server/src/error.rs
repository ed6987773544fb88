//! The one error that handlers return and the one place where it becomes a response (reliability.md §11).
//!
//! The body always has `error`, a string, because published clients print it; on 422 `errors` is a map, because a list
//! crashes them. Internal causes are logged with the request's id and never shown.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::Problem;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// At most this many problems are listed.
const MAX_DETAILS: usize = 50;

/// Why a request was not done.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// No key, or not one of ours.
    #[error("Invalid or missing API key")]
    Unauthorized,
    /// No token of a user, or not one of ours.
    #[error("Invalid or missing token")]
    NotSignedIn,
    /// Nobody has approved this sign-in yet.
    #[error("Not ready")]
    NotReady,
    /// Absent, another project's, or not even an id.
    #[error("{0} not found")]
    NotFound(&'static str),
    /// No such route.
    #[error("no such route")]
    NoRoute,
    /// The route does not take this method.
    #[error("this route does not take the method")]
    Method,
    /// Not JSON, or without what it must have.
    #[error("Invalid parameters")]
    Malformed(String),
    /// JSON beyond the limits of depth and size.
    #[error("Invalid parameters")]
    JsonLimits(&'static str),
    /// Understood, and not acceptable.
    #[error("Validation failed")]
    Invalid(Vec<Problem>),
    /// The service window is closed.
    #[error("the 24-hour window is closed; send a template")]
    WindowClosed,
    /// The state of the thing forbids it.
    #[error("{0}")]
    State(&'static str, String),
    /// Not to be done with this thing now.
    #[error("{0}")]
    Forbidden(&'static str, String),
    /// The state of the thing forbids it, in words that clients know.
    #[error("{1}")]
    Refused(&'static str, String),
    /// WhatsApp refused (422), or could not be asked (500).
    #[error("{message}")]
    Whatsapp {
        /// What the client gets.
        status: StatusCode,
        /// Our word for it.
        code: &'static str,
        /// For people.
        message: String,
        /// Meta's own codes.
        said: Map<String, Value>,
    },
    /// Somebody else is at it.
    #[error("{0}")]
    Conflict(&'static str, String),
    /// Too many requests with this key in this minute.
    #[error("Rate limit exceeded")]
    RateLimited,
    /// More event streams than a key or a node may have.
    #[error("Too many event streams")]
    TooManyStreams,
    /// More headers than we read.
    #[error("the headers are more than 64, or larger than 16 KiB")]
    Headers,
    /// Larger than the route takes.
    #[error("the body is larger than {0} bytes")]
    TooLarge(usize),
    /// The request took too long to arrive or to be done.
    #[error("the request took too long")]
    Timeout,
    /// Not JSON by its content type.
    #[error("the content type must be application/json")]
    MediaType,
    /// The database.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A fault of ours.
    #[error("{0}")]
    Internal(String),
}

impl store::Retryable for ApiError {
    fn is_retryable(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_retryable())
    }
}

impl ApiError {
    /// One invalid value.
    pub fn invalid(path: &str, code: &'static str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![Problem::new(path, code, message)])
    }

    fn parts(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "unauthorized"),
            Self::NotSignedIn => (StatusCode::UNAUTHORIZED, "unauthorized"),
            Self::NotReady => (StatusCode::NOT_FOUND, "not_ready"),
            Self::NotFound(_) => (StatusCode::NOT_FOUND, "not_found"),
            Self::NoRoute => (StatusCode::NOT_FOUND, "no_route"),
            Self::Method => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
            Self::Malformed(_) => (StatusCode::BAD_REQUEST, "malformed"),
            Self::JsonLimits(_) => (StatusCode::BAD_REQUEST, "json_limits"),
            Self::Invalid(_) => (StatusCode::UNPROCESSABLE_ENTITY, "validation_failed"),
            Self::WindowClosed => (StatusCode::UNPROCESSABLE_ENTITY, "outside_service_window"),
            Self::State(code, _) | Self::Refused(code, _) => (StatusCode::UNPROCESSABLE_ENTITY, code),
            Self::Forbidden(code, _) => (StatusCode::FORBIDDEN, code),
            Self::Whatsapp { status, code, .. } => (*status, code),
            Self::Conflict(code, _) => (StatusCode::CONFLICT, code),
            Self::RateLimited => (StatusCode::TOO_MANY_REQUESTS, "rate_limited"),
            Self::TooManyStreams => (StatusCode::TOO_MANY_REQUESTS, "too_many_streams"),
            Self::Headers => (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "headers_too_large"),
            Self::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
            Self::Timeout => (StatusCode::REQUEST_TIMEOUT, "timeout"),
            Self::MediaType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type"),
            Self::Store(store::Error::Conflict(_)) => (StatusCode::CONFLICT, "conflict"),
            Self::Store(store::Error::Retry(_)) => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
            Self::Store(_) | Self::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        }
    }

    fn body(&self, status: StatusCode, code: &'static str, request_id: &str) -> ErrorBody {
        let problems: &[Problem] = if let Self::Invalid(problems) = self { problems } else { &[] };
        let message = match self {
            Self::Malformed(message)
            | Self::State(_, message)
            | Self::Forbidden(_, message)
            | Self::Conflict(_, message) => message.clone(),
            Self::JsonLimits(limit) => (*limit).to_owned(),
            Self::TooManyStreams => "end one of your streams first".into(),
            Self::RateLimited => "wait for the seconds in Retry-After".into(),
            Self::Invalid(problems) => match problems.as_slice() {
                [one] => one.message.clone(),
                many => format!("{} problems; nothing was saved", many.len()),
            },
            Self::Store(store::Error::Conflict(_)) => "it changed meanwhile; read it again".into(),
            Self::Store(store::Error::Retry(_)) => "try again in a moment".into(),
            Self::Store(_) | Self::Internal(_) => format!("quote request {request_id} when you report it"),
            other => other.to_string(),
        };
        let error = match self {
            Self::Store(store::Error::Conflict(_)) => "Conflict".into(),
            Self::Store(store::Error::Retry(_)) => "The server is busy".into(),
            Self::Store(_) | Self::Internal(_) => "An unexpected error occurred".into(),
            other => other.to_string(),
        };
        let shown = || problems.iter().take(MAX_DETAILS);
        let errors = (status == StatusCode::UNPROCESSABLE_ENTITY).then(|| match problems {
            [] => Map::from_iter([("base".to_owned(), json!([message]))]),
            _ => by_field(shown()),
        });
        let details = shown().map(Detail::from).collect();
        let meta = if let Self::Whatsapp { said, .. } = self { Some(said.clone()) } else { None };
        ErrorBody {
            error,
            message,
            code,
            status: status.as_u16(),
            details,
            request_id: request_id.to_owned(),
            errors,
            meta,
        }
    }
}

/// The messages of each field, in the order of the fields.
fn by_field<'a>(problems: impl Iterator<Item = &'a Problem>) -> Map<String, Value> {
    let mut errors = Map::new();
    for problem in problems {
        if let Value::Array(messages) = errors.entry(problem.field()).or_insert_with(|| json!([])) {
            messages.push(json!(problem.message));
        }
    }
    errors
}

/// The body of every error.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorBody {
    /// Short label of what went wrong.
    error: String,
    /// What went wrong in this case, and what to do if something can be done.
    message: String,
    /// Stable word from a closed list.
    #[schema(value_type = String)]
    code: &'static str,
    /// The HTTP status again.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What is wrong with which value; at most 50.
    #[schema(max_items = 50)]
    details: Vec<Detail>,
    /// The request, as in the `X-Request-Id` header.
    request_id: String,
    /// Field → messages; with 422 only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = std::collections::HashMap<String, Vec<String>>, required = false)]
    errors: Option<Map<String, Value>>,
    /// What WhatsApp said, where it was asked: its `error_code`, `error_subcode` and `http_status`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = std::collections::HashMap<String, Value>, required = false)]
    meta: Option<Map<String, Value>>,
}

/// One problem of a value.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ErrorDetail)]
pub(crate) struct Detail {
    /// JSON pointer.
    path: String,
    /// Stable word from a closed list.
    #[schema(value_type = String)]
    code: &'static str,
    /// What is wrong with it.
    message: String,
}

impl From<&Problem> for Detail {
    fn from(problem: &Problem) -> Self {
        Self { path: problem.path.clone(), code: problem.code, message: problem.message.clone() }
    }
}

/// Puts the error where `telemetry::request` can give it the request's id.
#[derive(Clone)]
pub(crate) struct Failure(pub(crate) std::sync::Arc<ApiError>);

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, _) = self.parts();
        let mut response = status.into_response();
        response.extensions_mut().insert(Failure(std::sync::Arc::new(self)));
        response
    }
}

impl Failure {
    /// The response as the client sees it.
    pub(crate) fn response(&self, request_id: &str) -> Response {
        let (status, code) = self.0.parts();
        if status.is_server_error() {
            tracing::error!(request_id, error = %self.0, "request failed");
        }
        let mut response = (status, axum::Json(self.0.body(status, code, request_id))).into_response();
        // A key whose requests are counted is told when its next minute begins instead.
        let seconds = match status {
            StatusCode::SERVICE_UNAVAILABLE => "1",
            StatusCode::TOO_MANY_REQUESTS => "60",
            _ => return response,
        };
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(seconds));
        response
    }
}
