//! Properties of models by name. All facts that age quickly are in these tables.

pub struct KnownProvider {
    pub name: &'static str,
    pub base_url: &'static str,
    /// Used if no model is configured.
    pub model: &'static str,
    /// The environment variable of its key.
    pub key_variable: &'static str,
}

pub const PROVIDERS: [KnownProvider; 2] = [
    KnownProvider {
        name: "OpenAI",
        base_url: "https://api.openai.com/v1",
        model: "gpt-4.1-mini",
        key_variable: "OPENAI_API_KEY",
    },
    KnownProvider {
        name: "OpenRouter",
        base_url: "https://openrouter.ai/api/v1",
        model: "openai/gpt-4.1-mini",
        key_variable: "OPENROUTER_API_KEY",
    },
];

/// Prefixes of reasoning models, without the vendor. They accept an effort and no temperature.
const REASONING: [&str; 4] = ["o1", "o3", "o4-", "gpt-5"];

/// True if a model accepts a reasoning effort instead of a temperature; false for unknown models.
pub fn reasons(model: &str) -> bool {
    let name = model.rsplit('/').next().unwrap_or(model);
    REASONING.iter().any(|prefix| name.starts_with(prefix)) && !name.contains("-chat")
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
        for model in ["gpt-4.1-mini", "gpt-4o", "gpt-5-chat-latest", "llama3.2", "qwen/o-thing", ""] {
            assert!(!reasons(model), "{model}");
        }
    }
}
