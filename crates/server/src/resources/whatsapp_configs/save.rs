//! Shared by create and update: ownership of a number, its check at Meta, and its token.

use crate::{ApiError, AppState};
use domain::ids::{ProjectId, SecretId};
use runtime::number_proof::{self, Check};
use secrecy::SecretString;
use std::time::Duration;
use store::{
    Error, Result, Tx,
    secrets::{self, SecretKind},
};

/// Maximum wait for Meta's answers; the config is stored without them, and a job asks again.
const PATIENCE: Duration = Duration::from_secs(3);

/// Result of a check at Meta; `None` if Meta does not answer in time.
pub(super) async fn check(ctx: &AppState, phone_number_id: &str, waba_id: &str, token: &str) -> Option<Check> {
    let token = SecretString::from(token);
    tokio::time::timeout(PATIENCE, number_proof::check(ctx, phone_number_id, waba_id, &token)).await.ok()
}

/// Conflict: the project has the number already, or another config has proved it.
pub(super) fn number_taken() -> ApiError {
    ApiError::conflict("number_taken", "This phone_number_id is connected already", "delete the other config first")
}

/// Refuses the shared sandbox number, whose messages belong to the sessions.
pub(super) fn check_number(ctx: &AppState, phone_number_id: &str) -> std::result::Result<(), ApiError> {
    match &ctx.sandbox {
        Some(sandbox) if sandbox.phone_number_id == phone_number_id => Err(number_taken()),
        _ => Ok(()),
    }
}

/// Maps a unique violation to `number_taken`.
pub(super) fn stored(done: Result<()>) -> std::result::Result<(), ApiError> {
    done.map_err(|error| match error {
        Error::Conflict(_) => number_taken(),
        other => other.into(),
    })
}

/// Stores a token encrypted.
pub(super) async fn store_token(ctx: &AppState, tx: &mut Tx<'_>, project: ProjectId, token: &str) -> Result<SecretId> {
    let id = ctx.new_id();
    secrets::insert(&mut tx.scope(project, ctx.now()), &ctx.vault, id, SecretKind::AccessToken, token).await?;
    Ok(id)
}
