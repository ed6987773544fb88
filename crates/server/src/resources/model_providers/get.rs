//! `GET /model_providers/{id}`

use super::view::ModelProvider;
use crate::{ApiError, api::Data, found::Found};
use store::model_providers::ModelProviderRow;

/// Read one model provider
///
/// Its key is never returned.
#[utoipa::path(
    get, path = "/model_providers/{id}", operation_id = "get_model_provider", tag = "Model Providers",
    params(("id" = uuid::Uuid, description = "Provider id.")),
    responses((status = 200, description = "The provider.", body = Data<ModelProvider>))
)]
pub(super) async fn handle(Found(provider): Found<ModelProviderRow>) -> Result<Data<ModelProvider>, ApiError> {
    Ok(Data { data: ModelProvider::of(&provider) })
}
