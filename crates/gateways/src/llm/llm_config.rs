//! The `llm_config` of an agent or a node (engine.md 5.1) as settings.

use super::{LlmSettings, Tuning};
use secrecy::SecretString;
use serde_json::{Map, Value};
use std::time::Duration;

/// Times that can be asked for, in seconds.
const TIMEOUT_S: std::ops::RangeInclusive<f64> = 1.0..=600.0;

impl LlmSettings {
    /// Reads `{provider_name, provider_model_name, api_key, temperature, max_tokens, reasoning_model, reasoning_effort,
    /// base_url, timeout_s, fallbacks[]}`. Numbers may be texts, empty texts are absent, unknown fields are left alone. An
    /// error is for people and names the field.
    pub fn from_config(config: &Map<String, Value>) -> Result<Self, String> {
        let fallbacks = match config.get("fallbacks") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(list)) => list
                .iter()
                .map(|entry| Self::from_config(entry.as_object().ok_or("fallbacks: each entry is an object")?))
                .collect::<Result<_, _>>()?,
            Some(_) => return Err(String::from("fallbacks: not a list")),
        };
        let provider = text(config, "provider_name").map(|name| name.parse());
        Ok(Self {
            provider: provider.transpose().map_err(|error| format!("provider_name: {error}"))?,
            base_url: text(config, "base_url").map(str::to_owned),
            api_key: text(config, "api_key").map(SecretString::from),
            model: text(config, "provider_model_name").map(str::to_owned),
            tuning: Tuning {
                temperature: number(config, "temperature", 0.0..=2.0)?,
                max_tokens: number(config, "max_tokens", 1.0..=1_000_000.0)?.map(|tokens| tokens as u32),
                reasoning: flag(config, "reasoning_model")?,
                effort: text(config, "reasoning_effort").map(str::to_owned),
                timeout: number(config, "timeout_s", TIMEOUT_S)?.map(Duration::from_secs_f64),
            },
            fallbacks,
        })
    }
}

fn text<'a>(config: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    config.get(key)?.as_str().map(str::trim).filter(|text| !text.is_empty())
}

fn number(config: &Map<String, Value>, key: &str, range: std::ops::RangeInclusive<f64>) -> Result<Option<f64>, String> {
    let number = match config.get(key) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) if text.trim().is_empty() => return Ok(None),
        Some(Value::String(text)) => text.trim().parse().ok(),
        Some(other) => other.as_f64(),
    };
    let number = number.filter(|number| range.contains(number));
    number.map(Some).ok_or_else(|| format!("{key}: not a number from {} to {}", range.start(), range.end()))
}

fn flag(config: &Map<String, Value>, key: &str) -> Result<Option<bool>, String> {
    match config.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(*flag)),
        Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
        Some(Value::String(text)) if matches!(text.trim(), "true" | "false") => Ok(Some(text.trim() == "true")),
        Some(_) => Err(format!("{key}: neither true nor false")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::ProviderName;
    use secrecy::ExposeSecret;
    use serde_json::json;

    fn read(config: Value) -> Result<LlmSettings, String> {
        LlmSettings::from_config(config.as_object().unwrap())
    }

    #[test]
    fn every_field_is_read() {
        let settings = read(json!({
            "provider_name": "openai", "provider_model_name": "gpt-4o", "api_key": "k", "temperature": "0.3",
            "max_tokens": 100, "reasoning_model": false, "reasoning_effort": "high", "base_url": "http://m/v1",
            "timeout_s": 20, "unknown": 1,
            "fallbacks": [{"provider_name": "Rehearsal"}],
        }))
        .unwrap();
        assert_eq!(settings.provider, Some(ProviderName::OpenAi));
        assert_eq!(settings.model.as_deref(), Some("gpt-4o"));
        assert_eq!(settings.api_key.unwrap().expose_secret(), "k");
        assert_eq!(settings.base_url.as_deref(), Some("http://m/v1"));
        assert_eq!(
            settings.tuning,
            Tuning {
                temperature: Some(0.3),
                max_tokens: Some(100),
                reasoning: Some(false),
                effort: Some(String::from("high")),
                timeout: Some(Duration::from_secs(20)),
            }
        );
        assert_eq!(settings.fallbacks[0].provider, Some(ProviderName::Rehearsal));
    }

    #[test]
    fn empty_is_absent_and_wrong_says_where() {
        let empty = read(json!({"provider_name": " ", "temperature": null, "max_tokens": "", "fallbacks": null}));
        let empty = empty.unwrap();
        assert_eq!((empty.provider, empty.tuning), (None, Tuning::default()));
        for (config, field) in [
            (json!({"provider_name": "Skynet"}), "provider_name"),
            (json!({"temperature": 3}), "temperature"),
            (json!({"temperature": "warm"}), "temperature"),
            (json!({"max_tokens": 0}), "max_tokens"),
            (json!({"reasoning_model": "maybe"}), "reasoning_model"),
            (json!({"timeout_s": 0}), "timeout_s"),
            (json!({"fallbacks": {}}), "fallbacks"),
            (json!({"fallbacks": [7]}), "fallbacks"),
            (json!({"fallbacks": [{"max_tokens": -1}]}), "max_tokens"),
        ] {
            assert!(read(config.clone()).unwrap_err().starts_with(field), "{config}");
        }
    }
}
