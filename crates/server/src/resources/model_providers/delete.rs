//! `DELETE /model_providers/{id}`

use crate::{
    ApiError,
    auth::ProjectContext,
    change::{Changed, change},
    found::{Found, OrNotFound as _},
};
use axum::http::StatusCode;
use store::model_providers::{self, ModelProviderRow};

/// Delete a model provider and its key
///
/// Agents that name it fail with `llm_provider_missing`, unless a fallback answers or the server
/// has a provider of that name.
#[utoipa::path(
    delete, path = "/model_providers/{id}", operation_id = "delete_model_provider", tag = "Model Providers",
    params(("id" = uuid::Uuid, description = "Provider id.")),
    responses((status = 204, description = "Deleted."))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(provider): Found<ModelProviderRow>,
) -> Result<Changed<StatusCode>, ApiError> {
    let project = ctx.project;
    change!(ctx, "model_provider.delete", tx => {
        model_providers::lock(tx, project, provider.id).await?.found()?;
        model_providers::delete(tx, project, provider.id).await?;
        Ok(StatusCode::NO_CONTENT)
    })
}
