//! What create and update share: whose a number is, and where its token goes.

use crate::{ApiError, Context};
use domain::ids::{ProjectId, SecretId};
use store::{Error, Result, Tx, secrets};

/// What kind of secret an access token is.
pub(super) const TOKEN: &str = "whatsapp_access_token";

/// The number is another config's, here or in another project.
pub(super) fn number_taken() -> ApiError {
    let why = "this phone_number_id is connected already; delete the other config first";
    ApiError::Conflict("number_taken", why.into())
}

/// Nobody may connect the number that sandbox sessions share: what comes to it belongs to them.
pub(super) fn check_number(ctx: &Context, phone_number_id: &str) -> std::result::Result<(), ApiError> {
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
pub(super) async fn keep_token(ctx: &Context, tx: &mut Tx<'_>, project: ProjectId, token: &str) -> Result<SecretId> {
    let id = ctx.new_id();
    secrets::insert(tx, &ctx.vault, (project, id), TOKEN, token, ctx.now()).await?;
    Ok(id)
}
