//! Reasons why a page has no form, or why a number was not connected.

use axum::http::StatusCode;
use domain::{conversation::ProofFailure, setup_link::SetupLinkStatus};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// No link, or a customer that was deleted.
    Unknown,
    Used,
    Expired,
    /// By the project, or the project is archived.
    Revoked,
    TooMany,
    TokenInvalid,
    NumberNotReadable,
    AccountNotReadable,
    NotInAccount,
    NumberTaken,
    Unreachable,
    /// The customer did not agree to the sign-up at Meta.
    Cancelled,
    /// Meta did not exchange the code, or the browser did not begin this sign-up.
    SignUpFailed,
    NoNumber,
    /// Meta did not register the number.
    PinRefused,
}

impl Reason {
    /// `None` for an active link.
    pub(super) const fn of_status(status: SetupLinkStatus) -> Option<Self> {
        match status {
            SetupLinkStatus::Active => None,
            SetupLinkStatus::Used => Some(Self::Used),
            SetupLinkStatus::Expired => Some(Self::Expired),
            SetupLinkStatus::Revoked => Some(Self::Revoked),
        }
    }

    pub(super) const fn of_proof(failure: ProofFailure) -> Self {
        match failure {
            ProofFailure::NoToken | ProofFailure::TokenInvalid => Self::TokenInvalid,
            ProofFailure::NumberNotReadable => Self::NumberNotReadable,
            ProofFailure::AccountNotReadable => Self::AccountNotReadable,
            ProofFailure::NotInAccount => Self::NotInAccount,
            ProofFailure::NumberTaken => Self::NumberTaken,
            ProofFailure::Unreachable => Self::Unreachable,
        }
    }

    /// Value of `error` at the failure URL; `None` if the page leads nowhere.
    pub(super) const fn error(self) -> Option<&'static str> {
        match self {
            Self::Expired => Some("expired"),
            Self::Revoked => Some("revoked"),
            _ => None,
        }
    }

    pub(super) const fn status(self) -> StatusCode {
        match self {
            Self::Unknown => StatusCode::NOT_FOUND,
            Self::Used | Self::Expired | Self::Revoked => StatusCode::GONE,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::NumberTaken => StatusCode::CONFLICT,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        }
    }
}
