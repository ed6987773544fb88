//! How a model is asked where the question does not say: the rest of `llm_config` (engine.md 5.1).

use super::{config::ProviderName, models};
use std::time::Duration;

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

impl Tuning {
    /// The time that engine.md 5.3 gives a model.
    pub const TIMEOUT: Duration = Duration::from_secs(120);

    pub(super) fn reasons(&self, model: &str) -> bool {
        self.reasoning.unwrap_or_else(|| models::reasons(model))
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
