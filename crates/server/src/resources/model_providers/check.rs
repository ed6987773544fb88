//! `POST /model_providers/{id}/check`

use crate::{
    ApiError,
    api::Data,
    auth::ProjectContext,
    change::{self, Changed, change},
    found::Found,
};
use domain::chat::{ModelFailure, ModelFailureKind};
use gateways::llm::{Abilities, BLOCKED_ADDRESS, abilities, images};
use serde::Serialize;
use std::time::Duration;
use store::model_providers::ModelProviderRow;
use utoipa::ToSchema;

/// Longest wait for the answers of a provider while a person waits for a page.
const PATIENCE: Duration = Duration::from_secs(25);

/// Findings of a check. A null means that it was not found out.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct ModelProviderCheck {
    /// True if the model answered.
    works: bool,
    /// True if the provider's server answered, if only with a refusal.
    reachable: Option<bool>,
    /// Null also for a provider without a key.
    key_accepted: Option<bool>,
    /// Model that was asked.
    model: Option<String>,
    /// True if the model called a tool. An agent cannot work without.
    tools: Option<bool>,
    /// True if the answer came as a stream; otherwise answers come as a whole.
    streaming: Option<bool>,
    /// True if the model takes pictures, which agents then show it. False if it takes texts only.
    images: Option<bool>,
    /// Duration of the first answer.
    took_ms: Option<u64>,
    /// Changes of the form of requests that the server asked for.
    adapted: Vec<String>,
    /// Reason if the model did not answer.
    problem: Option<ModelProviderProblem>,
}

/// Reason why a provider does not work.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(in crate::resources) struct ModelProviderProblem {
    /// `llm_key_missing`, `key_refused`, `model_unknown`, `blocked_address`, `unreachable`, another
    /// class of the refusal table, or `refused`.
    code: String,
    /// For people, without the key.
    message: String,
}

impl ModelProviderProblem {
    pub(in crate::resources) fn of(failure: &ModelFailure) -> Self {
        let (code, message) = match (failure.kind, failure.class.as_deref()) {
            (ModelFailureKind::KeyMissing, _) => ("llm_key_missing", "the provider has no key; set api_key"),
            (_, Some(class)) => (class, failure.message.as_str()),
            // Of the network: what failed inside says nothing to a project.
            (ModelFailureKind::Temporary, None) => return Self::unreachable(),
            _ => ("refused", failure.message.as_str()),
        };
        Self { code: code.into(), message: message.into() }
    }

    pub(in crate::resources) fn unreachable() -> Self {
        Self { code: "unreachable".into(), message: "the provider's server gave no answer in time".into() }
    }
}

impl ModelProviderCheck {
    fn nothing(problem: ModelProviderProblem) -> Self {
        let (reachable, key_accepted) = match problem.code.as_str() {
            "llm_key_missing" => (None, None),
            "unreachable" | BLOCKED_ADDRESS => (Some(false), None),
            "key_refused" => (Some(true), Some(false)),
            _ => (Some(true), None),
        };
        Self {
            works: false,
            reachable,
            key_accepted,
            model: None,
            tools: None,
            streaming: None,
            images: None,
            took_ms: None,
            adapted: Vec::new(),
            problem: Some(problem),
        }
    }

    fn of(found: Abilities, with_key: bool) -> Self {
        Self {
            works: true,
            reachable: Some(true),
            key_accepted: with_key.then_some(true),
            model: None,
            tools: found.tools,
            streaming: Some(found.checked.streamed),
            images: None,
            took_ms: u64::try_from(found.checked.took.as_millis()).ok(),
            adapted: found.checked.adapted,
            problem: None,
        }
    }
}

/// Check a model provider with three tiny calls
///
/// Asks its model for one word, for a call of a tool, and about a tiny picture. The calls cost a few
/// tokens.
#[utoipa::path(
    post, path = "/model_providers/{id}/check", operation_id = "check_model_provider", tag = "Model Providers",
    params(("id" = uuid::Uuid, description = "Provider id.")),
    responses((status = 200, description = "Findings, also if it does not work.", body = Data<ModelProviderCheck>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(row): Found<ModelProviderRow>,
) -> Result<Changed<Data<ModelProviderCheck>>, ApiError> {
    if let Some(before) = change::before(&ctx).await? {
        return Ok(Changed::Before(before));
    }
    let found = find_out(&ctx, &row).await?;
    change!(ctx, "model_provider.check", tx => {
        Ok(Data { data: found.clone() })
    })
}

async fn find_out(ctx: &ProjectContext, row: &ModelProviderRow) -> Result<ModelProviderCheck, ApiError> {
    let provider = match runtime::model_providers::provider(ctx, ctx.project, row).await? {
        Ok(provider) => provider,
        Err(failure) => return Ok(ModelProviderCheck::nothing(ModelProviderProblem::of(&failure))),
    };
    let model = Some(provider.describe().model);
    let until = tokio::time::Instant::now() + PATIENCE;
    let found = match tokio::time::timeout_at(until, abilities(&provider)).await {
        Ok(Ok(found)) => ModelProviderCheck::of(found, row.key_hint.is_some()),
        Ok(Err(failure)) => ModelProviderCheck::nothing(ModelProviderProblem::of(&failure)),
        Err(_) => ModelProviderCheck::nothing(ModelProviderProblem::unreachable()),
    };
    let images =
        if found.works { tokio::time::timeout_at(until, images(&provider)).await.ok().flatten() } else { None };
    Ok(ModelProviderCheck { model, images, ..found })
}
