//! How an agent is run beside its prompt and graph (engine.md 1.4): which model is asked, what limits its turns have, and which tools are on
//! that are off for others.
//!
//! What is given is checked and stored as it was given, so that whatever was left open follows the defaults of the release that runs it.

use crate::api::{Problems, words};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use store::{Error, Result};
use utoipa::ToSchema;

/// Which model is asked. What is left out is the server's. Keys are the server's as well: none is kept here.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct AgentLlmConfig {
    /// Whose model; it must have a key on this server.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<LlmProvider>)]
    provider_name: Option<String>,
    /// The provider's name of the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    provider_model_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0.0, maximum = 2.0)]
    temperature: Option<f64>,
    /// The longest answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1000000)]
    max_tokens: Option<u32>,
    /// Whether the model takes an effort in place of a temperature; by its name if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_model: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ReasoningEffort>)]
    reasoning_effort: Option<String>,
    /// Seconds for one answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 600)]
    timeout_s: Option<u32>,
    /// Asked in turn when this one gives no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 5)]
    fallbacks: Option<Vec<FallbackLlmConfig>>,
}

/// A model that is asked when the one before it gives no answer.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct FallbackLlmConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<LlmProvider>)]
    provider_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    provider_model_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0.0, maximum = 2.0)]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1000000)]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_model: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ReasoningEffort>)]
    reasoning_effort: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 600)]
    timeout_s: Option<u32>,
}

/// The one value of `webhooks_in_tests` that is not as usual.
pub(super) const MOCK_ONLY: &str = "mock_only";

words!(LlmProvider = "OpenAI", "OpenRouter", "OpenAICompatible", "Rehearsal");
words!(ReasoningEffort = "minimal", "low", "medium", "high");

/// Where the turns of an agent end. What is left out is as usual.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct AgentLimits {
    /// Model calls and tool results in a turn; 80.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1000)]
    recursion_limit: Option<u32>,
    /// Model calls in one visit of a node within a turn, unless the node says otherwise; 20.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1000)]
    max_steps: Option<u32>,
    /// Nodes entered in a turn; 25.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1000)]
    node_entries: Option<u32>,
    /// Moves to nodes that are not offered, in a row; 3.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 100)]
    invalid_moves: Option<u32>,
    /// Answers in a row that say nothing to anybody; 3.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 100)]
    silent_answers: Option<u32>,
    /// How long a turn may take; 300.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 86400)]
    turn_seconds: Option<u32>,
    /// Messages in a turn that do not wait for an answer; 10.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 100)]
    messages: Option<u32>,
    /// Messages of history that the model is shown; 40.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 5, maximum = 1000)]
    history_messages: Option<u32>,
    /// Tokens that the model can read; 128,000. Three quarters of them are for the question.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1000, maximum = 10000000)]
    context_tokens: Option<u32>,
    /// Whether what the model is not shown any more is summarised for it; no.
    #[serde(skip_serializing_if = "Option::is_none")]
    summaries: Option<bool>,
    /// Tokens that an execution may use; any number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    token_budget: Option<u64>,
    /// What happens when they are used up: it fails, or a person takes over; it fails.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<OverBudget>)]
    over_budget: Option<String>,
}

words!(OverBudget = "fail", "handoff");
words!(
    /// What a webhook without a mock does in a test: its request is made, or is an error.
    WebhooksInTests = "request", "mock_only"
);
words!(OptionalTool = "webhook_request");

/// Names what cannot be kept: a key in a configuration would be in every snapshot, and an address of an agent's own would be sent the
/// server's key.
pub(super) fn check(body: &Value, problems: &mut Problems) {
    let Some(config) = body.pointer("/agent/llm_config") else { return };
    let fallbacks = config.get("fallbacks").and_then(Value::as_array).into_iter().flatten().enumerate();
    let places = fallbacks.map(|(place, fallback)| (format!("/agent/llm_config/fallbacks/{place}"), fallback));
    for (path, config) in std::iter::once(("/agent/llm_config".to_owned(), config)).chain(places) {
        for (field, why) in [
            ("api_key", "keys are not kept with agents; give the server the provider's key"),
            ("base_url", "addresses of models are the server's to set"),
        ] {
            if config.get(field).is_some_and(|value| !value.is_null() && value != "") {
                problems.add(format!("{path}/{field}"), "unsupported", why);
            }
        }
    }
}

/// As it is stored: nothing where nothing was given.
pub(super) fn stored<T: Serialize>(given: Option<&T>) -> Option<String> {
    let text = given.and_then(|given| serde_json::to_string(given).ok())?;
    (!matches!(text.as_str(), "{}" | "[]")).then_some(text)
}

/// Whether requests of tests are made is stored where they are not.
pub(super) fn in_tests(given: Option<&str>) -> Option<String> {
    given.filter(|word| *word == MOCK_ONLY).map(str::to_owned)
}

/// As it was stored.
pub(super) fn read<T: DeserializeOwned>(what: &'static str, stored: Option<&str>) -> Result<Option<T>> {
    let read = stored.map(serde_json::from_str).transpose();
    read.map_err(|error| Error::Damaged { what, why: error.to_string() })
}

/// The model as an execution pins it.
pub(super) fn model(stored: Option<&str>) -> Result<Option<Map<String, Value>>> {
    read("llm_config", stored)
}
