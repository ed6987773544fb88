//! Settings for calls of models: provider, model and retries (docs/spec/engine.md 5.1, 5.3).
//! Graphs keep them as they were written. They are read leniently here: a value of a wrong type
//! counts as absent.

use crate::Span;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Model and parameters. It never holds a key: keys are fetched when a request leaves.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct LlmConfig {
    /// A provider of the project or, like `OpenAI`, of the server; the server's default if absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub provider_name: Option<String>,
    /// The provider's name of the model.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub provider_model_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub temperature: Option<f64>,
    /// Longest answer in tokens.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub max_tokens: Option<u32>,
    /// The model takes a reasoning effort in place of a temperature; decided by its name if absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reasoning_model: Option<bool>,
    /// `low`, `medium` or `high`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reasoning_effort: Option<String>,
    /// Replaces the provider's own address.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub base_url: Option<String>,
    /// Seconds for one whole exchange.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub timeout_s: Option<u32>,
    /// Used in turn when this model gives no answer.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub fallbacks: Vec<LlmConfig>,
}

impl LlmConfig {
    /// Reads a stored configuration and ignores unknown fields, keys of providers among them.
    pub fn read(given: &Map<String, Value>) -> Self {
        let text = |name: &str| given.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
        let number = |name: &str| given.get(name).and_then(Value::as_u64).and_then(|number| u32::try_from(number).ok());
        let fallbacks = given.get("fallbacks").and_then(Value::as_array).into_iter().flatten();
        Self {
            provider_name: text("provider_name").map(str::to_owned),
            provider_model_name: text("provider_model_name").map(str::to_owned),
            temperature: given.get("temperature").and_then(Value::as_f64),
            max_tokens: number("max_tokens"),
            reasoning_model: given.get("reasoning_model").and_then(Value::as_bool),
            reasoning_effort: text("reasoning_effort").map(str::to_owned),
            base_url: text("base_url").map(str::to_owned),
            timeout_s: number("timeout_s"),
            // One level: a fallback has none of its own.
            fallbacks: fallbacks
                .filter_map(Value::as_object)
                .map(|fallback| Self { fallbacks: Vec::new(), ..Self::read(fallback) })
                .collect(),
        }
    }

    /// Names of the providers of this model and of its fallbacks.
    pub fn provider_names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self).chain(&self.fallbacks).filter_map(|one| one.provider_name.as_deref())
    }

    /// This configuration, with `base` for what it leaves open.
    pub fn over(self, base: &Self) -> Self {
        let base = base.clone();
        Self {
            provider_name: self.provider_name.or(base.provider_name),
            provider_model_name: self.provider_model_name.or(base.provider_model_name),
            temperature: self.temperature.or(base.temperature),
            max_tokens: self.max_tokens.or(base.max_tokens),
            reasoning_model: self.reasoning_model.or(base.reasoning_model),
            reasoning_effort: self.reasoning_effort.or(base.reasoning_effort),
            base_url: self.base_url.or(base.base_url),
            timeout_s: self.timeout_s.or(base.timeout_s),
            fallbacks: if self.fallbacks.is_empty() { base.fallbacks } else { self.fallbacks },
        }
    }
}

/// Retries of a model that fails temporarily.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryConfig {
    pub max_retries: u32,
    /// The first wait; each later one is twice as long.
    pub backoff: Span,
}

impl RetryConfig {
    /// Five retries, the first after half a second.
    pub const DEFAULT: Self = Self { max_retries: 5, backoff: Span::from_millis(500) };

    /// Reads a stored override and limits its values.
    pub fn read(given: Option<&Map<String, Value>>) -> Self {
        let retries = given.and_then(|given| given.get("max_retries")).and_then(Value::as_u64);
        let seconds = given.and_then(|given| given.get("backoff_seconds")).and_then(Value::as_f64);
        Self {
            max_retries: retries.map_or(Self::DEFAULT.max_retries, |most| u32::try_from(most.min(20)).unwrap_or(20)),
            backoff: seconds.map_or(Self::DEFAULT.backoff, millis),
        }
    }
}

fn millis(seconds: f64) -> Span {
    let millis = (seconds.clamp(0.0, 60.0) * 1_000.0).round();
    #[expect(clippy::cast_possible_truncation, reason = "between 0 and 60,000")]
    Span::from_millis(millis as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: &Value) -> LlmConfig {
        LlmConfig::read(value.as_object().unwrap())
    }

    #[test]
    fn a_node_overrides_what_it_names_and_no_key_is_kept() {
        let agent = read(&json!({"provider_name": "OpenAI", "temperature": 0.5, "api_key": "sk-secret",
            "fallbacks": [{"provider_name": "OpenRouter", "api_key": "sk-other", "fallbacks": [{}]}]}));
        let node = read(&json!({"temperature": 0, "max_tokens": 64, "provider_name": " "})).over(&agent);
        assert_eq!(
            (node.provider_name.as_deref(), node.temperature, node.max_tokens),
            (Some("OpenAI"), Some(0.0), Some(64))
        );
        assert_eq!(node.fallbacks.len(), 1);
        assert!(!serde_json::to_string(&node).unwrap().contains("sk-"));
    }

    #[test]
    fn an_override_of_retries_is_taken_within_reason() {
        let read = |value: Value| RetryConfig::read(value.as_object());
        assert_eq!(RetryConfig::read(None), RetryConfig::DEFAULT);
        assert_eq!(
            read(json!({"max_retries": 1, "backoff_seconds": 2})),
            RetryConfig { max_retries: 1, backoff: Span::from_secs(2) }
        );
        assert_eq!(
            read(json!({"max_retries": 1e9, "backoff_seconds": -1})),
            RetryConfig { max_retries: 5, backoff: Span::ZERO }
        );
        assert_eq!(read(json!({"max_retries": 1_000, "backoff_seconds": "x"})).max_retries, 20);
    }
}
