//! How a model is asked where the question does not say: the rest of `llm_config` (engine.md 5.1).

use super::{known_models, provider_name::ProviderName};
use domain::agent::LlmConfig;
use std::time::Duration;

/// Times that an agent may ask for.
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(600);

/// What is configured; what is not follows from the provider and from the table of models.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tuning {
    /// Sampling temperature; 0 by default. Models that reason take none.
    pub temperature: Option<f64>,
    /// Longest answer in tokens.
    pub max_tokens: Option<u32>,
    /// Whether the model reasons before it answers.
    pub reasoning: Option<bool>,
    /// How much it reasons; `low` by default.
    pub effort: Option<String>,
    /// For one whole exchange; 120 s by default.
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
    /// This tuning, with `base` for what it leaves open.
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

    /// The time that engine.md 5.3 gives a model.
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
        let own =
            if provider == ProviderName::OpenAiCompatible.as_str() || provider == "Ollama" { 4_096 } else { 2_048 };
        self.max_tokens.unwrap_or(own)
    }
}
