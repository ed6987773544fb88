//! Failure codes of tool requests (docs/spec/engine.md 4.1.7).

use domain::tool_request::ToolAnswer;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureCode {
    /// No connection (name, TCP or TLS) in time.
    ConnectTimeout,
    /// No complete response in time.
    ReadTimeout,
    /// The request could not be written in time.
    WriteTimeout,
    /// The name does not resolve, or the connection is refused.
    ConnectError,
    /// The certificate is not trusted, or the server does not speak TLS.
    TlsError,
    /// The URL, or one of its addresses, may not be reached.
    BlockedAddress,
    TooManyRedirects,
    /// The response is not HTTP, or incomplete.
    BadResponse,
    /// There is no URL, or one without a host.
    MissingUrl,
}

impl FailureCode {
    /// The code in the API and in tool results.
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

/// A request that was refused or failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    pub code: FailureCode,
    /// Names the host, never an address: an agent must not reveal the internal network.
    pub message: String,
}

impl Refusal {
    pub(super) fn new(code: FailureCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// There is no network.
    pub(crate) fn unreachable() -> Self {
        Self::new(FailureCode::ConnectError, "could not connect to the server")
    }

    /// No complete answer in time.
    pub(crate) fn late() -> Self {
        Self::new(FailureCode::ReadTimeout, "no complete answer in time")
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
