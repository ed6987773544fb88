//! Shared by create and update: ownership of a number, its display number, and its token.

use crate::{ApiError, AppState};
use domain::ids::{ProjectId, SecretId};
use secrecy::SecretString;
use std::time::Duration;
use store::{
    Error, Result, Tx,
    secrets::{self, SecretKind},
};

/// Maximum wait for Meta's display number; the config is stored without it.
const PATIENCE: Duration = Duration::from_secs(3);

/// Display number from Meta; `None` if Meta does not answer in time. A health check can fill it
/// later.
pub(super) async fn shown(ctx: &AppState, phone_number_id: &str, token: &str) -> Option<String> {
    let token = SecretString::from(token);
    let asked = tokio::time::timeout(PATIENCE, ctx.graph.number(phone_number_id, &token)).await;
    asked.ok()?.ok()?.display_phone_number
}

/// Conflict: another config has the number, here or in another project.
pub(super) fn number_taken() -> ApiError {
    let why = "this phone_number_id is connected already; delete the other config first";
    ApiError::conflict("number_taken", why)
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
