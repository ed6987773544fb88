//! API representation of a model provider.

use crate::api::{Time, words};
use serde::Serialize;
use store::model_providers::ModelProviderRow;
use utoipa::ToSchema;
use uuid::Uuid;

words!(
    /// Protocol, usual address and usual model.
    ModelProviderKind = "OpenAI",
    "AzureOpenAI",
    "Anthropic",
    "Google",
    "OpenRouter",
    "Mistral",
    "DeepSeek",
    "Groq",
    "OpenAICompatible"
);

/// A server of language models with the project's own key.
#[derive(Serialize, ToSchema)]
pub(super) struct ModelProvider {
    id: Uuid,
    /// As `provider_name` of agents, in either case. Comes before a provider of the server with
    /// this name.
    name: String,
    #[schema(value_type = ModelProviderKind)]
    kind: String,
    /// Null: the address of the kind.
    base_url: Option<String>,
    /// Model of agents that name none. Null: the usual one of the kind.
    model: Option<String>,
    /// True if there is a key. It is never returned.
    key_set: bool,
    /// Last four characters of a key of twelve or more.
    key_hint: Option<String>,
    created_at: Time,
    updated_at: Time,
}

impl ModelProvider {
    pub(super) fn of(row: &ModelProviderRow) -> Self {
        Self {
            id: row.id.uuid(),
            name: row.name.clone(),
            kind: row.kind.clone(),
            base_url: row.base_url.clone(),
            model: row.model.clone(),
            key_set: row.key_hint.is_some(),
            key_hint: row.key_hint.clone().filter(|hint| !hint.is_empty()),
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
        }
    }
}
