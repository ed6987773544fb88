//! Failures of model calls (docs/spec/engine.md 5.3). `refusals` has the table of responses.

use crate::{
    egress::{FailureCode, Refusal},
    wire,
};
use domain::chat::{ModelFailure, ModelFailureKind};

/// Class of a failure: the provider's address may not be reached.
pub const BLOCKED_ADDRESS: &str = "blocked_address";

/// A failure that a retry cannot fix.
pub(super) fn permanent(message: impl Into<String>) -> ModelFailure {
    ModelFailure { kind: ModelFailureKind::Permanent, message: message.into(), ..ModelFailure::default() }
}

/// A failure that a retry may fix.
pub(super) fn temporary(message: impl Into<String>) -> ModelFailure {
    ModelFailure { kind: ModelFailureKind::Temporary, ..permanent(message) }
}

/// The chosen provider has no key.
pub(super) fn key_missing(message: impl Into<String>) -> ModelFailure {
    ModelFailure { kind: ModelFailureKind::KeyMissing, ..permanent(message) }
}

/// The named provider does not exist.
pub(super) fn provider_missing(message: impl Into<String>) -> ModelFailure {
    ModelFailure { kind: ModelFailureKind::ProviderMissing, ..permanent(message) }
}

/// The guard refused the address of a project's provider, or could not resolve it.
pub(super) fn for_address(refusal: &Refusal) -> ModelFailure {
    match refusal.code {
        FailureCode::BlockedAddress | FailureCode::MissingUrl => {
            ModelFailure { class: Some(BLOCKED_ADDRESS.into()), ..permanent(&refusal.message) }
        }
        _ => temporary(&refusal.message),
    }
}

/// The connection failed, broke or timed out.
pub(super) fn for_connection(error: &reqwest::Error) -> ModelFailure {
    temporary(format!("no answer from the model: {}", wire::explain(error)))
}
