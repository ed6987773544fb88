//! `PATCH /model_providers/{id}`

use super::{fields, view::ModelProvider};
use crate::{
    ApiError,
    api::{Data, Problems, RequestBody, body, three_state},
    auth::ProjectContext,
    change::{Changed, change},
    found::{Found, OrNotFound as _},
};
use axum::extract::Request;
use domain::Span;
use serde::Deserialize;
use serde_json::Value;
use store::model_providers::{self, ModelProviderRow};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
pub(super) struct ModelProviderUpdateRequest {
    model_provider: ModelProviderChange,
}

impl RequestBody for ModelProviderUpdateRequest {
    const WRAPPER: &'static [&'static str] = &["model_provider"];

    fn check(body: &Value, problems: &mut Problems) {
        fields::check(body, problems);
    }
}

/// Omitted fields stay unchanged.
#[derive(Deserialize, ToSchema)]
struct ModelProviderChange {
    /// Agents that name the earlier name no longer find it.
    #[schema(max_length = 64, pattern = r"^[A-Za-z0-9]([A-Za-z0-9 ._-]*[A-Za-z0-9._-])?$", nullable = false)]
    name: Option<String>,
    /// Replaces the key; null deletes it. Used from the next call on.
    #[serde(default, deserialize_with = "three_state::read")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 4096, pattern = r"\S", write_only)]
    api_key: Option<Option<String>>,
    /// Null: the address of the kind. A provider with a key needs `api_key` with a new address: a
    /// stored key is sent nowhere else.
    #[serde(default, deserialize_with = "three_state::read")]
    #[schema(value_type = Option<String>, max_length = 2048, format = "uri")]
    base_url: Option<Option<String>>,
    #[serde(default, deserialize_with = "three_state::read")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200, pattern = r"\S")]
    model: Option<Option<String>>,
}

/// Change a model provider
///
/// A new key, address or model is used from the next call on. The kind cannot be changed.
#[utoipa::path(
    patch, path = "/model_providers/{id}", operation_id = "update_model_provider", tag = "Model Providers",
    request_body = ModelProviderUpdateRequest, params(("id" = uuid::Uuid, description = "Provider id.")),
    responses(
        (status = 200, description = "The provider.", body = Data<ModelProvider>),
        (status = 422, description = "Details: `taken`, `required`, `invalid_url`, `invalid_key`, `blocked_address`, \
            `key_required`: a new address needs the key again"),
    )
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(provider): Found<ModelProviderRow>,
    request: Request,
) -> Result<Changed<Data<ModelProvider>>, ApiError> {
    let project = ctx.project;
    let sent = body::read::<ModelProviderUpdateRequest>(request).await?.model_provider;
    let trimmed = |text: Option<String>| text.map(|text| text.trim().to_owned());
    let (key, base_url, model) = (sent.api_key.map(trimmed), sent.base_url.map(trimmed), sent.model.map(trimmed));
    if let Some(Some(url)) = &base_url {
        fields::check_address(&ctx, url).await?;
    }
    change!(ctx, "model_provider.update", tx => {
        let mut row = model_providers::lock(tx, project, provider.id).await?.found()?;
        if let Some(name) = &sent.name {
            fields::check_name(tx, project, row.id, name).await?;
            row.name.clone_from(name);
        }
        if let Some(url) = &base_url {
            fields::check_move(&row, url.as_deref(), key.is_some())?;
            row.base_url.clone_from(url);
        }
        if let Some(model) = &model {
            row.model.clone_from(model);
        }
        // Each state has a time of its own: nodes compare it.
        row.updated_at = ctx.now().max(row.updated_at + Span::from_micros(1));
        if let Some(key) = &key {
            row.key_hint = key.as_deref().map(fields::hint);
            model_providers::set_key(tx, &ctx.vault, project, &row, key.as_deref()).await?;
        }
        model_providers::update(tx, project, &row).await?;
        Ok(Data { data: ModelProvider::of(&row) })
    })
}
