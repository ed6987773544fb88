//! The error type of all handlers and its only mapping to a response (docs/spec/reliability.md 11).
//!
//! The body always has `error`, a sentence, because published clients print it; programs read
//! `code`. On 422 `errors` is a map, because a list crashes the clients. Internal causes are logged
//! with the request id and never shown.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::Problem;
use runtime::outbox::NotSendable;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// Maximum number of listed problems.
const MAX_DETAILS: usize = 50;

/// A failed request.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// Missing, malformed or unknown API key.
    #[error("Invalid or missing API key")]
    Unauthorized,
    /// Missing, expired or unknown user token.
    #[error("Invalid or missing token")]
    NotSignedIn,
    /// Missing, ended or unknown session.
    #[error("Not signed in")]
    NoSession,
    /// A wrong password or one-time secret, or an unknown person.
    #[error("Wrong e-mail address, password or token")]
    WrongCredentials,
    /// A sign-in that is not approved yet.
    #[error("Not ready")]
    NotReady,
    /// Absent, in another project, or not a valid id.
    #[error("{0} not found")]
    NotFound(&'static str),
    #[error("No such route")]
    NoRoute,
    #[error("Method not allowed")]
    Method,
    /// Invalid JSON, or a missing wrapper.
    #[error("Invalid parameters")]
    Malformed(String),
    /// JSON that is too deep or has too many values.
    #[error("Invalid parameters")]
    JsonLimits(&'static str),
    /// Well-formed, with invalid values.
    #[error("Validation failed")]
    Invalid(Vec<Problem>),
    /// Refused for a reason of its own; see the constructors.
    #[error("{}", .0.error)]
    Refused(Box<Refusal>),
    #[error("Rate limit exceeded")]
    RateLimited,
    #[error("Too many event streams")]
    TooManyStreams,
    #[error("Host not allowed")]
    Host,
    #[error("Headers too large")]
    Headers,
    /// A body above this limit in bytes.
    #[error("Body too large")]
    TooLarge(usize),
    #[error("Request timed out")]
    Timeout,
    /// The memory for unverified bodies is in use.
    #[error("Server is busy")]
    BodiesFull,
    #[error("Unsupported media type")]
    MediaType,
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A bug, or an unusable environment.
    #[error("{0}")]
    Internal(String),
}

/// A refusal that its handler describes.
#[derive(Debug)]
pub struct Refusal {
    status: StatusCode,
    code: &'static str,
    /// A sentence for people.
    error: String,
    /// Cause and remedy; `error` again if that says it all.
    message: String,
    /// Meta's error codes, if WhatsApp refused.
    meta: Option<Map<String, Value>>,
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

    /// 422: the state of the resource does not allow the request.
    pub fn state(code: &'static str, error: &str, message: impl Into<String>) -> Self {
        Self::worded(StatusCode::UNPROCESSABLE_ENTITY, code, error, message.into(), None)
    }

    /// 409: another change or execution is in the way.
    pub fn conflict(code: &'static str, error: &str, message: impl Into<String>) -> Self {
        Self::worded(StatusCode::CONFLICT, code, error, message.into(), None)
    }

    /// 403: not allowed for this resource at the moment.
    pub fn forbidden(code: &'static str, error: &str, message: impl Into<String>) -> Self {
        Self::worded(StatusCode::FORBIDDEN, code, error, message.into(), None)
    }

    /// 422 whose sentence says it all.
    pub fn refused(code: &'static str, error: &str) -> Self {
        Self::state(code, error, error)
    }

    /// 400 whose sentence is part of the contract.
    pub fn bad_request(error: &str) -> Self {
        Self::worded(StatusCode::BAD_REQUEST, "malformed", error, error.into(), None)
    }

    /// 422: the message cannot be queued.
    pub fn not_sendable(why: NotSendable) -> Self {
        let (error, message) = match &why {
            NotSendable::WindowClosed => ("The 24-hour window is closed", "send a template".into()),
            NotSendable::TakenOver => ("Conversation is assigned to a person", "release the assignment first".into()),
            NotSendable::NoAddress => {
                ("Contact has no address", "WhatsApp has sent neither a number nor a user id".into())
            }
            NotSendable::TemplateNotApproved(status) => {
                ("Only approved templates can be sent", format!("this one is {status}"))
            }
            NotSendable::TemplateUnfit(problems) => ("Template cannot be filled", problems.clone()),
            NotSendable::WindowTemplateUnknown(name) => {
                ("Template for texts outside of the window is unknown", format!("sync {name}, or name its language"))
            }
        };
        Self::state(why.code(), error, message)
    }

    /// WhatsApp refused (422) or could not be reached (500). `meta` holds Meta's error codes.
    pub fn whatsapp(status: StatusCode, code: &'static str, message: String, meta: Map<String, Value>) -> Self {
        Self::worded(status, code, &sentence(&message), message, Some(meta))
    }

    fn worded(
        status: StatusCode,
        code: &'static str,
        error: &str,
        message: String,
        meta: Option<Map<String, Value>>,
    ) -> Self {
        Self::Refused(Box::new(Refusal { status, code, error: error.into(), message, meta }))
    }

    /// Stable code, as in the body.
    pub(crate) fn code(&self) -> &'static str {
        self.parts().1
    }

    fn parts(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "unauthorized"),
            Self::NotSignedIn => (StatusCode::UNAUTHORIZED, "unauthorized"),
            Self::NoSession => (StatusCode::UNAUTHORIZED, "unauthorized"),
            Self::WrongCredentials => (StatusCode::UNAUTHORIZED, "wrong_credentials"),
            Self::NotReady => (StatusCode::NOT_FOUND, "not_ready"),
            Self::NotFound(_) => (StatusCode::NOT_FOUND, "not_found"),
            Self::NoRoute => (StatusCode::NOT_FOUND, "no_route"),
            Self::Method => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
            Self::Malformed(_) => (StatusCode::BAD_REQUEST, "malformed"),
            Self::JsonLimits(_) => (StatusCode::BAD_REQUEST, "json_limits"),
            Self::Invalid(_) => (StatusCode::UNPROCESSABLE_ENTITY, "validation_failed"),
            Self::Refused(refusal) => (refusal.status, refusal.code),
            Self::RateLimited => (StatusCode::TOO_MANY_REQUESTS, "rate_limited"),
            Self::TooManyStreams => (StatusCode::TOO_MANY_REQUESTS, "too_many_streams"),
            Self::Host => (StatusCode::FORBIDDEN, "host_not_allowed"),
            Self::Headers => (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "headers_too_large"),
            Self::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
            Self::Timeout => (StatusCode::REQUEST_TIMEOUT, "timeout"),
            Self::BodiesFull => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
            Self::MediaType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type"),
            Self::Store(store::Error::Conflict(_)) => (StatusCode::CONFLICT, "conflict"),
            Self::Store(store::Error::Retry(_) | store::Error::NoConnection) => {
                (StatusCode::SERVICE_UNAVAILABLE, "busy")
            }
            Self::Store(store::Error::DiskFull(_)) => (StatusCode::SERVICE_UNAVAILABLE, "cannot_store"),
            Self::Store(_) | Self::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        }
    }

    fn body(&self, status: StatusCode, code: &'static str, request_id: &str) -> ErrorBody {
        let problems: &[Problem] = if let Self::Invalid(problems) = self { problems } else { &[] };
        let message = match self {
            Self::Malformed(message) => message.clone(),
            Self::Refused(refusal) => refusal.message.clone(),
            Self::JsonLimits(limit) => (*limit).to_owned(),
            Self::Host => "the Host of the request is not listed; add it to CHASQUI_HOSTS".into(),
            Self::Headers => "the headers are more than 64, or larger than 16 KiB".into(),
            Self::TooLarge(limit) => format!("the body is larger than {limit} bytes"),
            Self::Timeout => "the request took too long".into(),
            Self::BodiesFull => "too many bodies are being received; try again in a moment".into(),
            Self::MediaType => "the content type must be application/json".into(),
            Self::TooManyStreams => "end one of your streams first".into(),
            Self::RateLimited => "wait for the seconds in Retry-After".into(),
            Self::Invalid(problems) => match problems.as_slice() {
                [one] => one.message.clone(),
                many => format!("{} problems; nothing was saved", many.len()),
            },
            Self::Store(store::Error::Conflict(_)) => "another request changed the resource; read it again".into(),
            Self::Store(store::Error::Retry(_) | store::Error::NoConnection) => "try again in a moment".into(),
            Self::Store(store::Error::DiskFull(_)) => "nothing was saved; try again later".into(),
            Self::Store(_) | Self::Internal(_) => format!("include request id {request_id} in a report"),
            other => other.to_string(),
        };
        let error = match self {
            Self::Store(store::Error::Conflict(_)) => "Conflict".into(),
            Self::Store(store::Error::Retry(_) | store::Error::NoConnection) => "The server is busy".into(),
            Self::Store(store::Error::DiskFull(_)) => "The server cannot store anything now".into(),
            Self::Store(_) | Self::Internal(_) => "An unexpected error occurred".into(),
            Self::Invalid(problems) => label(problems),
            other => other.to_string(),
        };
        let shown = || problems.iter().take(MAX_DETAILS);
        let errors = (status == StatusCode::UNPROCESSABLE_ENTITY).then(|| match problems {
            [] => Map::from_iter([("base".to_owned(), json!([message]))]),
            _ => by_field(shown()),
        });
        let details = shown().map(Detail::from).collect();
        let meta = if let Self::Refused(refusal) = self { refusal.meta.clone() } else { None };
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

/// `Validation failed`, except for the problem that the contract has a sentence of its own for.
fn label(problems: &[Problem]) -> String {
    let worded = problems.iter().find(|problem| problem.code == "wrong_parameter_count");
    worded.map_or_else(|| "Validation failed".into(), |problem| problem.message.clone())
}

/// The text with a capital letter.
fn sentence(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}

/// Messages by field, in the order of the fields.
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
    /// The error in a sentence.
    error: String,
    /// Cause of this error, and the remedy if there is one.
    message: String,
    /// Stable code from a closed list, for programs.
    #[schema(value_type = String)]
    code: &'static str,
    /// Copy of the HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// Problems of single values; at most 50.
    #[schema(max_items = 50)]
    details: Vec<Detail>,
    /// Request id, as in the `X-Request-Id` header.
    request_id: String,
    /// Messages by field; only with 422.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = std::collections::HashMap<String, Vec<String>>, required = false)]
    errors: Option<Map<String, Value>>,
    /// WhatsApp's `error_code`, `error_subcode` and `http_status`, if WhatsApp answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = std::collections::HashMap<String, Value>, required = false)]
    meta: Option<Map<String, Value>>,
}

/// One problem of a value.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ErrorDetail)]
pub(crate) struct Detail {
    /// JSON pointer to the value.
    path: String,
    /// Stable code from a closed list.
    #[schema(value_type = String)]
    code: &'static str,
    /// Problem in words.
    message: String,
}

impl From<&Problem> for Detail {
    fn from(problem: &Problem) -> Self {
        Self { path: problem.path.clone(), code: problem.code, message: problem.message.clone() }
    }
}

/// Response extension that lets `telemetry::request` add the request id to the body.
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
    /// `admit` limits a repeated log line, as `LogLimit::admit` of the runtime does.
    pub(crate) fn response(&self, request_id: &str, admit: impl FnOnce(&'static str) -> Option<u64>) -> Response {
        let (status, code) = self.0.parts();
        if let ApiError::Store(error @ store::Error::DiskFull(_)) = &*self.0 {
            metrics::counter!("chasqui_write_failures_total").increment(1);
            // Every request fails in the same way.
            if let Some(left_out) = admit("api_disk_full") {
                tracing::error!(request_id, %error, left_out, "requests are answered 503: nothing can be stored");
            }
        } else if status.is_server_error() {
            tracing::error!(request_id, error = %self.0, "request failed");
        }
        let mut response = (status, axum::Json(self.0.body(status, code, request_id))).into_response();
        // The rate limiter replaces this by the time until the next window.
        let seconds = match status {
            StatusCode::SERVICE_UNAVAILABLE => "1",
            StatusCode::TOO_MANY_REQUESTS => "60",
            _ => return response,
        };
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(seconds));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One error of each kind.
    fn all() -> Vec<ApiError> {
        let of_store = |error: fn(String) -> store::Error| ApiError::Store(error("x".into()));
        let too_few = Problem::new("/template/template_parameters", "wrong_parameter_count", "Template requires 2");
        let sends = [
            NotSendable::WindowClosed,
            NotSendable::TakenOver,
            NotSendable::NoAddress,
            NotSendable::TemplateNotApproved("draft".into()),
            NotSendable::TemplateUnfit("template_parameters can't be blank".into()),
        ];
        let mut all = vec![
            ApiError::Unauthorized,
            ApiError::NotSignedIn,
            ApiError::NoSession,
            ApiError::WrongCredentials,
            ApiError::NotReady,
            ApiError::NotFound("Agent"),
            ApiError::NoRoute,
            ApiError::Method,
            ApiError::Malformed("the body is not JSON".into()),
            ApiError::JsonLimits("too deep"),
            ApiError::invalid("/agent/name", "blank", "can't be blank"),
            ApiError::Invalid(vec![too_few]),
            ApiError::RateLimited,
            ApiError::TooManyStreams,
            ApiError::Host,
            ApiError::Headers,
            ApiError::TooLarge(1),
            ApiError::Timeout,
            ApiError::BodiesFull,
            ApiError::MediaType,
            ApiError::Internal("a bug".into()),
            ApiError::whatsapp(StatusCode::UNPROCESSABLE_ENTITY, "x", "whatsapp refused".into(), Map::new()),
            of_store(store::Error::Conflict),
            of_store(store::Error::Retry),
            ApiError::Store(store::Error::NoConnection),
        ];
        all.extend(sends.into_iter().map(ApiError::not_sendable));
        all
    }

    #[test]
    fn every_error_has_a_sentence_and_a_code() {
        for error in all() {
            let (status, code) = error.parts();
            let body = error.body(status, code, "id");
            assert!(body.error.starts_with(|first: char| first.is_ascii_uppercase()), "{error:?}: {}", body.error);
            assert_ne!(body.error, body.code, "{error:?}");
            assert!(code.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{code}");
            assert!(!body.message.is_empty(), "{error:?}");
        }
    }
}
