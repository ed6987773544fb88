//! Defaults for requests to a model: the rest of `llm_config` (docs/spec/engine.md 5.1).

use super::known_models;
use domain::agent::LlmConfig;
use std::time::Duration;

/// Bounds of the timeout that an agent may set.
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(600);

/// Absent values follow from the provider and from the table of known models.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tuning {
    /// 0 by default. Reasoning models accept none.
    pub temperature: Option<f64>,
    pub max_tokens: Option<u32>,
    /// True for reasoning models.
    pub reasoning: Option<bool>,
    /// Reasoning effort; `low` by default.
    pub effort: Option<String>,
    /// For the whole request; 120 s by default.
    pub timeout: Option<Duration>,
}

impl From<&LlmConfig> for Tuning {
    fn from(config: &LlmConfig) -> Self {
        Self {
            temperature: config.temperature,
            max_tokens: config.max_tokens,
            reasoning: config.reasoning_model,
            effort: config.reasoning_effort.clone(),
            timeout: config.timeout_s.map(|seconds| Duration::from_secs(u64::from(seconds)).clamp(SHORTEST, LONGEST)),
        }
    }
}

impl Tuning {
    /// Takes absent values from `base`.
    #[must_use]
    pub fn over(self, base: &Self) -> Self {
        Self {
            temperature: self.temperature.or(base.temperature),
            max_tokens: self.max_tokens.or(base.max_tokens),
            reasoning: self.reasoning.or(base.reasoning),
            effort: self.effort.or_else(|| base.effort.clone()),
            timeout: self.timeout.or(base.timeout),
        }
    }

    /// docs/spec/engine.md 5.3.
    pub const TIMEOUT: Duration = Duration::from_secs(120);

    pub(super) fn reasons(&self, model: &str) -> bool {
        self.reasoning.unwrap_or_else(|| known_models::reasons(model))
    }

    pub(super) fn effort(&self) -> &str {
        self.effort.as_deref().map(str::trim).filter(|effort| !effort.is_empty()).unwrap_or("low")
    }

    pub(super) fn temperature(&self) -> f64 {
        self.temperature.unwrap_or(0.0)
    }

    pub(super) fn max_tokens(&self, provider: &str) -> u32 {
        let own = match provider {
            // Thinking counts as well.
            "Google" => 8_192,
            "OpenAICompatible" | "Ollama" | "Anthropic" => 4_096,
            _ => 2_048,
        };
        self.max_tokens.unwrap_or(own)
    }
}
