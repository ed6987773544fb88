//! `DELETE /secrets/{name}`

use crate::{
    ApiError,
    auth::ProjectContext,
    change::{Changed, change},
};
use axum::{extract::Path, http::StatusCode};
use runtime::secrets;

/// Delete a secret
///
/// Requests of agents that name it are not made from then on; the model gets `secret_not_set`.
#[utoipa::path(
    delete, path = "/secrets/{name}", operation_id = "delete_secret", tag = "Secrets",
    params(("name", description = "Name of the secret.")),
    responses((status = 204, description = "Deleted."))
)]
pub(super) async fn handle(ctx: ProjectContext, Path(name): Path<String>) -> Result<Changed<StatusCode>, ApiError> {
    change!(ctx, "secret.delete", tx => {
        match secrets::delete(tx, ctx.project, &name).await? {
            true => Ok(StatusCode::NO_CONTENT),
            false => Err(ApiError::NotFound("Secret")),
        }
    })
}
