//! Properties of providers and models by name. All facts that age quickly are in these tables.

use super::{dialect::Dialect, provider_name::ProviderName};

pub struct KnownProvider {
    pub name: ProviderName,
    pub dialect: Dialect,
    /// Empty if settings must name it.
    pub base_url: &'static str,
    /// Used if no model is configured; empty if settings must name it.
    pub model: &'static str,
    /// The environment variable of its key.
    pub key_variable: &'static str,
}

/// Without a named provider, the first that has a key in the environment is used.
pub const PROVIDERS: [KnownProvider; 8] = [
    KnownProvider {
        name: ProviderName::OpenAi,
        dialect: Dialect::OpenAi,
        base_url: "https://api.openai.com/v1",
        model: "gpt-4.1-mini",
        key_variable: "OPENAI_API_KEY",
    },
    KnownProvider {
        name: ProviderName::Anthropic,
        dialect: Dialect::Anthropic,
        base_url: "https://api.anthropic.com",
        model: "claude-haiku-4-5",
        key_variable: "ANTHROPIC_API_KEY",
    },
    KnownProvider {
        name: ProviderName::Google,
        dialect: Dialect::Gemini,
        base_url: "https://generativelanguage.googleapis.com",
        model: "gemini-2.5-flash",
        key_variable: "GEMINI_API_KEY",
    },
    KnownProvider {
        name: ProviderName::OpenRouter,
        dialect: Dialect::OpenRouter,
        base_url: "https://openrouter.ai/api/v1",
        model: "openai/gpt-4.1-mini",
        key_variable: "OPENROUTER_API_KEY",
    },
    KnownProvider {
        name: ProviderName::Mistral,
        dialect: Dialect::Mistral,
        base_url: "https://api.mistral.ai/v1",
        model: "mistral-small-latest",
        key_variable: "MISTRAL_API_KEY",
    },
    KnownProvider {
        name: ProviderName::DeepSeek,
        dialect: Dialect::DeepSeek,
        base_url: "https://api.deepseek.com/v1",
        model: "deepseek-chat",
        key_variable: "DEEPSEEK_API_KEY",
    },
    KnownProvider {
        name: ProviderName::Groq,
        dialect: Dialect::Groq,
        base_url: "https://api.groq.com/openai/v1",
        model: "llama-3.3-70b-versatile",
        key_variable: "GROQ_API_KEY",
    },
    KnownProvider {
        name: ProviderName::AzureOpenAi,
        dialect: Dialect::Azure,
        base_url: "",
        model: "",
        key_variable: "AZURE_OPENAI_API_KEY",
    },
];

/// Prefixes of reasoning models, without the vendor. They accept an effort and no temperature.
const REASONING: [&str; 4] = ["o1", "o3", "o4-", "gpt-5"];

/// True if a model accepts a reasoning effort instead of a temperature; false for unknown models.
pub fn reasons(model: &str) -> bool {
    let name = model.rsplit('/').next().unwrap_or(model);
    REASONING.iter().any(|prefix| name.starts_with(prefix)) && !name.contains("-chat")
}

/// Claude models that take a temperature; later ones refuse it:
/// https://platform.claude.com/docs/en/about-claude/models/whats-new-claude-4-7
const WITH_TEMPERATURE: [&str; 9] = [
    "claude-2",
    "claude-3",
    "claude-haiku-4",
    "claude-sonnet-4",
    "claude-opus-4-0",
    "claude-opus-4-1",
    "claude-opus-4-2025",
    "claude-opus-4-5",
    "claude-opus-4-6",
];

/// True if a Claude model takes a temperature; false for unknown models.
pub(super) fn claude_takes_temperature(model: &str) -> bool {
    let name = model.rsplit('/').next().unwrap_or(model);
    WITH_TEMPERATURE.iter().any(|prefix| name.starts_with(prefix))
}

/// Most output tokens by prefix, without the vendor. The first match counts.
const LONGEST_ANSWERS: [(&str, u32); 6] =
    [("gpt-4o", 16_384), ("gpt-4.1", 32_768), ("o1", 100_000), ("o3", 100_000), ("o4-", 100_000), ("gpt-5", 128_000)];

/// Doubles an output limit, up to the model's maximum if it is known.
pub fn doubled(limit: u32, model: &str) -> u32 {
    let name = model.rsplit('/').next().unwrap_or(model);
    let known = LONGEST_ANSWERS.iter().find(|(prefix, _)| name.starts_with(prefix)).map_or(u32::MAX, |(_, most)| *most);
    limit.saturating_mul(2).min(known).max(limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasoning_models_are_recognised_by_name() {
        for model in ["o3-mini", "gpt-5", "openai/gpt-5-mini", "o4-mini"] {
            assert!(reasons(model), "{model}");
        }
        for model in [
            "gpt-4.1-mini",
            "gpt-4o",
            "gpt-5-chat-latest",
            "claude-haiku-4-5",
            "gemini-2.5-flash",
            "llama3.2",
            "qwen/o-thing",
            "",
        ] {
            assert!(!reasons(model), "{model}");
        }
    }
}
