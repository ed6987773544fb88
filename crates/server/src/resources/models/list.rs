//! `GET /models`

use crate::{
    ApiError,
    api::{Data, words},
    auth::ProjectContext,
    resources::model_providers::{MOST, ModelProviderProblem},
};
use domain::chat::ModelChoice;
use futures::future::join_all;
use gateways::llm::list_models;
use serde::Serialize;
use store::model_providers::{self, ModelProviderRow};
use utoipa::ToSchema;
use uuid::Uuid;

words!(ModelSource = "project", "server");

/// A provider that agents of the project may name, with its models.
#[derive(Serialize, ToSchema)]
pub(super) struct ProviderModels {
    /// Value for `provider_name` of an agent's `llm_config`.
    provider: String,
    #[schema(value_type = ModelSource)]
    source: &'static str,
    /// Null for a provider of the server.
    model_provider_id: Option<Uuid>,
    /// True for the provider of agents that name none.
    default: bool,
    /// Model of agents that name only the provider. Null for one that does not work.
    default_model: Option<String>,
    /// Values for `provider_model_name`, sorted. Of the server's providers only the default model
    /// is listed; other models may be named too.
    models: Vec<String>,
    /// Reason why the models of a provider could not be listed.
    problem: Option<ModelProviderProblem>,
}

impl ProviderModels {
    fn of_server(place: usize, choice: ModelChoice) -> Self {
        Self {
            provider: choice.provider,
            source: "server",
            model_provider_id: None,
            default: place == 0,
            default_model: Some(choice.model.clone()),
            models: vec![choice.model],
            problem: None,
        }
    }

    /// Asks the provider, within its time limit.
    async fn of_project(ctx: &ProjectContext, row: &ModelProviderRow) -> Result<Self, ApiError> {
        let mut found = Self {
            provider: row.name.clone(),
            source: "project",
            model_provider_id: Some(row.id.uuid()),
            default: false,
            default_model: row.model.clone(),
            models: row.model.iter().cloned().collect(),
            problem: None,
        };
        let listed = match runtime::model_providers::provider(ctx, ctx.project, row).await? {
            Ok(provider) => {
                found.default_model = Some(provider.describe().model);
                list_models(&provider).await
            }
            Err(failure) => Err(failure),
        };
        match listed {
            Ok(models) => found.models = models,
            Err(failure) => found.problem = Some(ModelProviderProblem::of(&failure)),
        }
        Ok(found)
    }
}

/// List the models that agents of the project may name
///
/// Providers of the project are asked for their models, which may take five seconds. A provider of
/// the server with the name of one of the project is left out: agents get the project's.
#[utoipa::path(
    get, path = "/models", operation_id = "list_models", tag = "Model Providers",
    responses((status = 200, description = "Providers with their models, those of the project first.", body = Data<Vec<ProviderModels>>))
)]
pub(super) async fn handle(ctx: ProjectContext) -> Result<Data<Vec<ProviderModels>>, ApiError> {
    let rows = {
        let mut reader = ctx.store.read().await?;
        model_providers::list(&mut reader.conn(), ctx.project, (MOST as i64, 0)).await?.0
    };
    let asked = rows.iter().map(|row| ProviderModels::of_project(&ctx, row));
    let mut all = join_all(asked).await.into_iter().collect::<Result<Vec<_>, _>>()?;
    let shadowed = |name: &str| rows.iter().any(|row| row.name.eq_ignore_ascii_case(name));
    let of_server = ctx.model.available().into_iter().enumerate();
    let of_server = of_server.map(|(place, choice)| ProviderModels::of_server(place, choice));
    // The default one answers agents that name none, so it stays.
    all.extend(of_server.filter(|models| models.default || !shadowed(&models.provider)));
    Ok(Data { data: all })
}
