//! What create and update share: whose a number is, how Meta writes it, and where its token goes.

use crate::{ApiError, AppState};
use domain::ids::{ProjectId, SecretId};
use secrecy::SecretString;
use std::time::Duration;
use store::{Error, Result, Tx, secrets};

/// What kind of secret an access token is.
pub(super) const TOKEN: &str = "whatsapp_access_token";

/// How long a request waits for Meta's word on a number. Without one it is stored all the same.
const PATIENCE: Duration = Duration::from_secs(3);

/// The number as Meta writes it for people; `None` where Meta does not tell at once, which a health check may do later.
pub(super) async fn shown(ctx: &AppState, phone_number_id: &str, token: &str) -> Option<String> {
    let token = SecretString::from(token);
    let asked = tokio::time::timeout(PATIENCE, ctx.graph.number(phone_number_id, &token)).await;
    asked.ok()?.ok()?.display_phone_number
}

/// The number is another config's, here or in another project.
pub(super) fn number_taken() -> ApiError {
    let why = "this phone_number_id is connected already; delete the other config first";
    ApiError::Conflict("number_taken", why.into())
}

/// Nobody may connect the number that sandbox sessions share: what comes to it belongs to them.
pub(super) fn check_number(ctx: &AppState, phone_number_id: &str) -> std::result::Result<(), ApiError> {
    match &ctx.sandbox {
        Some(sandbox) if sandbox.phone_number_id == phone_number_id => Err(number_taken()),
        _ => Ok(()),
    }
}

/// A number that is somebody's already is told as such.
pub(super) fn stored(done: Result<()>) -> std::result::Result<(), ApiError> {
    done.map_err(|error| match error {
        Error::Conflict(_) => number_taken(),
        other => other.into(),
    })
}

/// Seals a token.
pub(super) async fn keep_token(ctx: &AppState, tx: &mut Tx<'_>, project: ProjectId, token: &str) -> Result<SecretId> {
    let id = ctx.new_id();
    secrets::insert(tx, &ctx.vault, (project, id), TOKEN, token, ctx.now()).await?;
    Ok(id)
}
