//! Agent settings besides prompt and graph (docs/spec/engine.md 1.4): model, limits and optional
//! tools.
//!
//! Settings are validated and stored as sent, so that omitted ones follow the defaults of the
//! running release.

use crate::api::{Problems, WindowTemplateField, words};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use store::{Error, Result, agents};
use utoipa::ToSchema;

/// Language model. Omitted fields use the server's. API keys belong to the server or to a model
/// provider of the project and cannot be stored here.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct AgentLlmConfig {
    /// Name of a model provider of the project, else of the server: `OpenAI`, `AzureOpenAI`,
    /// `Anthropic`, `Google`, `OpenRouter`, `Mistral`, `DeepSeek`, `Groq`, `OpenAICompatible` or
    /// `Rehearsal`. `GET /models` lists those that work.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 64, pattern = r"\S")]
    provider_name: Option<String>,
    /// Model name at the provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    provider_model_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0.0, maximum = 2.0)]
    temperature: Option<f64>,
    /// Maximum tokens of an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1000000)]
    max_tokens: Option<u32>,
    /// True if the model accepts a reasoning effort instead of a temperature. Default: by its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_model: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ReasoningEffort>)]
    reasoning_effort: Option<String>,
    /// Time limit of one answer in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 600)]
    timeout_s: Option<u32>,
    /// Fallbacks, tried in order if this model gives no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 5)]
    fallbacks: Option<Vec<FallbackLlmConfig>>,
}

/// A fallback model, used if the previous one gives no answer.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct FallbackLlmConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 64, pattern = r"\S")]
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

words!(ReasoningEffort = "minimal", "low", "medium", "high");

/// Limits of an agent's turns. Omitted ones keep their defaults.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct AgentLimits {
    /// Model calls and tool results per turn; default 80.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1000)]
    recursion_limit: Option<u32>,
    /// Model calls per visit of a node within a turn, unless the node sets its own; default 20.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1000)]
    max_steps: Option<u32>,
    /// Nodes entered per turn; default 25.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1000)]
    node_entries: Option<u32>,
    /// Consecutive moves to nodes that are not offered; default 3.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 100)]
    invalid_moves: Option<u32>,
    /// Consecutive answers without a message or tool call; default 3.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 100)]
    silent_answers: Option<u32>,
    /// Duration of a turn in seconds; default 300.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 86400)]
    turn_seconds: Option<u32>,
    /// Messages per turn that do not wait for an answer; default 10.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 100)]
    messages: Option<u32>,
    /// Messages of history in a model request; default 40.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 5, maximum = 1000)]
    history_messages: Option<u32>,
    /// Context window of the model in tokens; default 128,000. Three quarters of it are for the
    /// request.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1000, maximum = 10000000)]
    context_tokens: Option<u32>,
    /// True summarises history that no longer fits; default false.
    #[serde(skip_serializing_if = "Option::is_none")]
    summaries: Option<bool>,
    /// Token budget of an execution; default unlimited.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    token_budget: Option<u64>,
    /// Action when the budget is used up: fail (default) or hand off to a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<OverBudget>)]
    over_budget: Option<String>,
    /// Text for the contact where the model gives no answer for good. Without it nothing is sent,
    /// and the conversation is listed under those that need a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 4096, pattern = r"\S")]
    failure_message: Option<String>,
    /// Template that carries the agent's texts when the 24-hour window is closed. Without it they
    /// are refused with `outside_service_window`.
    #[serde(skip_serializing_if = "Option::is_none")]
    outside_window_template: Option<WindowTemplateField>,
    /// Pause of the agent after a reply on the shop's phone: `minutes` (default) lasts for
    /// `phone_reply_pause_minutes`, `until_resumed` until a person resumes the agent; with `never` the
    /// agent continues and reads the reply.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<PhoneReplyPause>)]
    phone_reply_pause: Option<String>,
    /// Length of the pause after each reply on the shop's phone; default 60.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 10080)]
    phone_reply_pause_minutes: Option<u32>,
}

words!(OverBudget = "fail", "handoff");
words!(PhoneReplyPause = "minutes", "until_resumed", "never");
words!(
    /// Webhooks without a mock in tests: send the request, or return an error.
    WebhooksInTests = "request", "mock_only"
);
words!(OptionalTool = "webhook_request");

/// Reports settings that must not be stored: an API key would be in every snapshot, and a custom
/// base URL would receive the server's key.
pub(super) fn check(body: &Value, problems: &mut Problems) {
    let Some(config) = body.pointer("/agent/llm_config") else { return };
    let fallbacks = config.get("fallbacks").and_then(Value::as_array).into_iter().flatten().enumerate();
    let places = fallbacks.map(|(place, fallback)| (format!("/agent/llm_config/fallbacks/{place}"), fallback));
    for (path, config) in std::iter::once(("/agent/llm_config".to_owned(), config)).chain(places) {
        for (field, why) in [
            ("api_key", "keys are not kept with agents; add a model provider to the project"),
            ("base_url", "addresses are not kept with agents; add a model provider to the project"),
        ] {
            if config.get(field).is_some_and(|value| !value.is_null() && value != "") {
                problems.add(format!("{path}/{field}"), "unsupported", why);
            }
        }
    }
}

/// Stored text of an optional setting.
pub(super) fn stored<T: Serialize>(given: Option<&T>) -> Option<String> {
    let text = given.and_then(|given| serde_json::to_string(given).ok())?;
    (!matches!(text.as_str(), "{}" | "[]")).then_some(text)
}

/// Stores only the value that differs from the default.
pub(super) fn in_tests(given: Option<&str>) -> Option<agents::WebhooksInTests> {
    given.and_then(|word| word.parse().ok()).filter(|chosen| *chosen == agents::WebhooksInTests::MockOnly)
}

/// Reads a stored setting.
pub(super) fn read<T: DeserializeOwned>(what: &'static str, stored: Option<&str>) -> Result<Option<T>> {
    let read = stored.map(serde_json::from_str).transpose();
    read.map_err(|error| Error::Damaged { what, why: error.to_string() })
}

/// Model settings as pinned by an execution.
pub(super) fn model(stored: Option<&str>) -> Result<Option<Map<String, Value>>> {
    read("llm_config", stored)
}
