//! Why there is no answer, in the words of engine.md 4.1.7.

use domain::tool_request::ToolAnswer;

/// The closed list of codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureCode {
    /// No connection (name, TCP or TLS) in time.
    ConnectTimeout,
    /// No complete answer in time.
    ReadTimeout,
    /// The request could not be written in time.
    WriteTimeout,
    /// The name does not resolve, or nobody listens.
    ConnectError,
    /// The certificate is not trusted, or the server does not speak TLS.
    TlsError,
    /// The URL, or one of its addresses, may not be reached.
    BlockedAddress,
    /// More redirects than allowed.
    TooManyRedirects,
    /// The answer is not HTTP, or broke off.
    BadResponse,
    /// There is no URL, or one without a host.
    MissingUrl,
}

impl FailureCode {
    /// The code as the model and the API see it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ConnectTimeout => "connect_timeout",
            Self::ReadTimeout => "read_timeout",
            Self::WriteTimeout => "write_timeout",
            Self::ConnectError => "connect_error",
            Self::TlsError => "tls_error",
            Self::BlockedAddress => "blocked_address",
            Self::TooManyRedirects => "too_many_redirects",
            Self::BadResponse => "bad_response",
            Self::MissingUrl => "missing_url",
        }
    }
}

/// A request that was not made, or has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// Which kind.
    pub code: FailureCode,
    /// For the model and for people. Names the host, never an address: an agent must not become a map of our network.
    pub message: String,
}

impl Refusal {
    pub(super) fn new(code: FailureCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    pub(super) fn blocked(message: impl Into<String>) -> Self {
        Self::new(FailureCode::BlockedAddress, message)
    }
}

impl From<Refusal> for ToolAnswer {
    fn from(refusal: Refusal) -> Self {
        Self::Failed { code: refusal.code.as_str().to_owned(), message: refusal.message }
    }
}
