//! `POST /model_providers`

use super::{
    fields::{self, MOST},
    view::{ModelProvider, ModelProviderKind},
};
use crate::{
    ApiError,
    api::{Created, Data, Problems, RequestBody, body},
    auth::ProjectContext,
    change::{Changed, change},
};
use axum::extract::Request;
use serde::Deserialize;
use serde_json::Value;
use store::model_providers::{self, ModelProviderRow};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
pub(super) struct ModelProviderCreateRequest {
    model_provider: NewModelProvider,
}

impl RequestBody for ModelProviderCreateRequest {
    const WRAPPER: &'static [&'static str] = &["model_provider"];

    fn check(body: &Value, problems: &mut Problems) {
        fields::check(body, problems);
    }
}

#[derive(Deserialize, ToSchema)]
struct NewModelProvider {
    /// Letters, digits, spaces and `. _ -`.
    #[schema(max_length = 64, pattern = r"^[A-Za-z0-9]([A-Za-z0-9 ._-]*[A-Za-z0-9._-])?$")]
    name: String,
    #[schema(value_type = ModelProviderKind)]
    kind: String,
    /// Stored encrypted and never returned. Not needed for a compatible server without keys.
    #[schema(min_length = 1, max_length = 4096, pattern = r"\S", write_only)]
    api_key: Option<String>,
    /// Replaces the address of the kind. Must be public, unless the operator allows it.
    #[schema(max_length = 2048, format = "uri")]
    base_url: Option<String>,
    /// Model of agents that name none.
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    model: Option<String>,
}

/// Add a model provider with the project's own key
///
/// Agents name it as `provider_name` of their `llm_config`, its models as `provider_model_name`.
/// `POST /model_providers/{id}/check` says whether it works.
#[utoipa::path(
    post, path = "/model_providers", operation_id = "create_model_provider", tag = "Model Providers",
    request_body = ModelProviderCreateRequest,
    responses(
        (status = 201, description = "The provider.", body = Data<ModelProvider>),
        (status = 409, description = "`too_many_providers`: the project has 20"),
        (status = 422, description = "Details: `taken`, `required`, `invalid_url`, `invalid_key`, `blocked_address`"),
    )
)]
pub(super) async fn handle(ctx: ProjectContext, request: Request) -> Result<Changed<Created<ModelProvider>>, ApiError> {
    let project = ctx.project;
    let new = body::read::<ModelProviderCreateRequest>(request).await?.model_provider;
    let key = new.api_key.map(|key| key.trim().to_owned());
    let base_url = new.base_url.map(|url| url.trim().to_owned());
    if let Some(url) = &base_url {
        fields::check_address(&ctx, url).await?;
    }
    let now = ctx.now();
    let row = ModelProviderRow {
        id: ctx.new_id(),
        name: new.name,
        kind: new.kind,
        base_url,
        model: new.model.map(|model| model.trim().to_owned()),
        key_hint: key.as_deref().map(fields::hint),
        created_at: now,
        updated_at: now,
    };
    change!(ctx, "model_provider.create", tx => {
        let (_, count) = model_providers::list(tx, project, (0, 0)).await?;
        if count >= MOST as i64 {
            let why = format!("there are {MOST} providers already; delete one first");
            return Err(ApiError::conflict("too_many_providers", "Too many model providers", why));
        }
        fields::check_name(tx, project, row.id, &row.name).await?;
        model_providers::insert(tx, project, &row).await?;
        if key.is_some() {
            model_providers::set_key(tx, &ctx.vault, project, &row, key.as_deref()).await?;
        }
        Ok(Created(ModelProvider::of(&row)))
    })
}
