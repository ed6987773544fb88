//! `GET /model_providers`

use super::view::ModelProvider;
use crate::{
    ApiError,
    api::{List, Page},
    auth::ProjectContext,
};
use store::model_providers;

/// List the project's model providers
///
/// Newest first. Those of the server are in `GET /models`.
#[utoipa::path(
    get, path = "/model_providers", operation_id = "list_model_providers", tag = "Model Providers", params(List),
    responses((status = 200, description = "One page of providers.", body = Page<ModelProvider>))
)]
pub(super) async fn handle(ctx: ProjectContext, list: List) -> Result<Page<ModelProvider>, ApiError> {
    let mut reader = ctx.store.read().await?;
    let (rows, total) = model_providers::list(&mut reader.conn(), ctx.project, list.range()).await?;
    Ok(list.page(rows.iter().map(ModelProvider::of).collect(), total))
}
