//! Resolves settings to a model (docs/spec/engine.md 5.2).
//!
//! A named provider must work, or resolving fails. Without a name, the first available model is
//! used; the offline model is the last, so that a fresh installation can answer.

use super::{
    ModelClient, Provider, Tuning,
    failure::{key_missing, permanent},
    known_models::{KnownProvider, PROVIDERS},
    openai::{Endpoint, OpenAi},
    provider_name::{ProviderName, UnknownProvider},
};
use domain::{agent::LlmConfig, chat::ModelFailure};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::time::Duration;

/// A local Ollama that takes longer counts as absent.
const OLLAMA_PATIENCE: Duration = Duration::from_millis(300);
const OLLAMA_URL: &str = "http://127.0.0.1:11434";

/// Settings of an agent, a project or `CHASQUI_LLM_*`.
#[derive(Debug, Clone, Default)]
pub struct LlmSettings {
    pub provider: Option<ProviderName>,
    /// Replaces the provider's address. Without a provider it means an OpenAI-compatible server.
    pub base_url: Option<String>,
    /// Absent if the key is in the environment.
    pub api_key: Option<SecretString>,
    /// The provider's default if absent.
    pub model: Option<String>,
    /// Defaults for requests.
    pub tuning: Tuning,
}

impl LlmSettings {
    /// Settings from an agent's configuration or one of its fallbacks. The key is added by the
    /// caller or by [`resolve`]. An agent's base URL is ignored: it would receive a key that is not
    /// the agent's, through a client that checks no address.
    pub fn of_config(config: &LlmConfig) -> Result<Self, UnknownProvider> {
        Ok(Self {
            provider: config.provider_name.as_deref().map(str::parse).transpose()?,
            base_url: None,
            api_key: None,
            model: config.provider_model_name.clone(),
            tuning: Tuning::from(config),
        })
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OllamaProbe {
    At(String),
    Off,
}

impl Default for OllamaProbe {
    fn default() -> Self {
        Self::At(OLLAMA_URL.to_owned())
    }
}

/// Resolves settings and environment to a model. Contacts only Ollama over the network, and only
/// before falling back to `offline`, the in-process model.
pub async fn resolve(
    client: &ModelClient,
    settings: &LlmSettings,
    env: &(dyn Fn(&str) -> Option<String> + Sync),
    ollama: &OllamaProbe,
    offline: &Provider,
) -> Result<Provider, ModelFailure> {
    let base_url = given(settings.base_url.as_deref());
    let key = settings.api_key.as_ref().filter(|key| !key.expose_secret().trim().is_empty());
    match settings.provider {
        Some(ProviderName::Rehearsal) => Ok(offline.clone()),
        Some(name @ (ProviderName::Anthropic | ProviderName::Google)) => Err(unsupported(name.as_str())),
        Some(ProviderName::OpenAiCompatible) => compatible(client, settings),
        Some(ProviderName::OpenAi) => known(client, settings, &PROVIDERS[0], env),
        Some(ProviderName::OpenRouter) => known(client, settings, &PROVIDERS[1], env),
        None if base_url.is_some() => compatible(client, settings),
        None if key.is_some_and(|key| key.expose_secret().starts_with("sk-ant-")) => Err(unsupported("Anthropic")),
        None if key.is_some_and(|key| key.expose_secret().starts_with("AIza")) => Err(unsupported("Google")),
        None if key.is_some() || env_key(env, &PROVIDERS[0]).is_some() => known(client, settings, &PROVIDERS[0], env),
        // Keys of Anthropic and Google are ignored: they must not disable the fallback.
        None => Ok(local(client, settings, ollama).await.unwrap_or_else(|| offline.clone())),
    }
}

fn unsupported(name: &str) -> ModelFailure {
    permanent(format!("{name} is not yet supported; use OpenAI, OpenRouter or an OpenAI-compatible server"))
}

fn known(
    client: &ModelClient,
    settings: &LlmSettings,
    provider: &KnownProvider,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Provider, ModelFailure> {
    let configured = settings.api_key.clone().filter(|key| !key.expose_secret().trim().is_empty());
    let Some(key) = configured.or_else(|| env_key(env, provider)) else {
        return Err(key_missing(format!("{} has no key; set one, or {}", provider.name, provider.key_variable)));
    };
    Ok(model(
        client,
        Endpoint {
            provider: provider.name.to_owned(),
            base_url: given(settings.base_url.as_deref()).unwrap_or(provider.base_url).to_owned(),
            api_key: Some(key),
            model: given(settings.model.as_deref()).unwrap_or(provider.model).to_owned(),
            tuning: settings.tuning.clone(),
        },
    ))
}

fn compatible(client: &ModelClient, settings: &LlmSettings) -> Result<Provider, ModelFailure> {
    let Some(base_url) = given(settings.base_url.as_deref()) else {
        return Err(permanent("an OpenAI-compatible provider needs a base URL"));
    };
    // Servers with one model accept any name; those with several report the names they have.
    let name = given(settings.model.as_deref()).unwrap_or("default");
    Ok(model(
        client,
        Endpoint {
            provider: ProviderName::OpenAiCompatible.as_str().to_owned(),
            base_url: base_url.to_owned(),
            api_key: settings.api_key.clone().filter(|key| !key.expose_secret().trim().is_empty()),
            model: name.to_owned(),
            tuning: settings.tuning.clone(),
        },
    ))
}

async fn local(client: &ModelClient, settings: &LlmSettings, probe: &OllamaProbe) -> Option<Provider> {
    let OllamaProbe::At(base) = probe else { return None };
    let base = base.trim_end_matches('/');
    let get = client.http().get(format!("{base}/api/tags")).timeout(OLLAMA_PATIENCE);
    let mut response = get.send().await.ok()?.error_for_status().ok()?;
    let (body, _) = crate::wire::read_capped(&mut response, 1 << 20).await.ok()?;
    let tags: Value = serde_json::from_slice(&body).ok()?;
    let first = tags.pointer("/models/0/name")?.as_str()?;
    Some(model(
        client,
        Endpoint {
            provider: String::from("Ollama"),
            base_url: format!("{base}/v1"),
            api_key: None,
            model: given(settings.model.as_deref()).unwrap_or(first).to_owned(),
            tuning: settings.tuning.clone(),
        },
    ))
}

fn model(client: &ModelClient, endpoint: Endpoint) -> Provider {
    Provider::OpenAi(OpenAi::new(client.clone(), endpoint))
}

fn env_key(env: &dyn Fn(&str) -> Option<String>, provider: &KnownProvider) -> Option<SecretString> {
    env(provider.key_variable).map(|key| key.trim().to_owned()).filter(|key| !key.is_empty()).map(SecretString::from)
}

/// Treats empty settings as absent.
fn given(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}
