//! What we know about models by name. Names date quickly: everything that does is in these tables.

/// Provider, base URL, model when none is configured, environment variable of its key.
pub struct KnownProvider {
    /// As configured.
    pub name: &'static str,
    /// Where it listens.
    pub base_url: &'static str,
    /// The model when none is configured.
    pub model: &'static str,
    /// Where its key usually is.
    pub key_variable: &'static str,
}

/// Providers with an address and a key variable of their own.
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

/// Models that reason before they answer: they take an effort and no temperature. Prefixes, without the vendor.
const REASONING: [&str; 4] = ["o1", "o3", "o4-", "gpt-5"];

/// Whether a model takes a reasoning effort in place of a temperature; false when unknown.
pub fn reasons(model: &str) -> bool {
    let name = model.rsplit('/').next().unwrap_or(model);
    REASONING.iter().any(|prefix| name.starts_with(prefix)) && !name.contains("-chat")
}

/// Tokens that a model can answer with at most. Prefixes, without the vendor; the first that fits.
const LONGEST_ANSWERS: [(&str, u32); 6] =
    [("gpt-4o", 16_384), ("gpt-4.1", 32_768), ("o1", 100_000), ("o3", 100_000), ("o4-", 100_000), ("gpt-5", 128_000)];

/// Twice the limit of an answer, but not more than the model can write where we know how much that is.
pub fn doubled(limit: u32, model: &str) -> u32 {
    let name = model.rsplit('/').next().unwrap_or(model);
    let known = LONGEST_ANSWERS.iter().find(|(prefix, _)| name.starts_with(prefix)).map_or(u32::MAX, |(_, most)| *most);
    limit.saturating_mul(2).min(known).max(limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasoning_models_are_known_by_their_names() {
        for model in ["o3-mini", "gpt-5", "openai/gpt-5-mini", "o4-mini"] {
            assert!(reasons(model), "{model}");
        }
        for model in ["gpt-4.1-mini", "gpt-4o", "gpt-5-chat-latest", "llama3.2", "qwen/o-thing", ""] {
            assert!(!reasons(model), "{model}");
        }
    }
}
