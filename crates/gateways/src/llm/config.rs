//! Resolves settings to a model (docs/spec/engine.md 5.2).
//!
//! A named provider must work, or resolving fails. Without a name, the first available model is
//! used; the offline model is the last, so that a fresh installation can answer.

use super::{
    ModelClient, Provider, Tuning,
    dialect::Dialect,
    failure::{key_missing, permanent},
    known_models::{KnownProvider, PROVIDERS},
    native::Native,
    openai::{Endpoint, OpenAi},
    provider_name::{ProviderName, UnknownProvider},
};
use domain::{agent::LlmConfig, chat::ModelFailure};
use reqwest::Method;
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
        Some(ProviderName::OpenAiCompatible) => compatible(client, settings),
        Some(name) => known(client, settings, of_name(name), env),
        None if base_url.is_some() => compatible(client, settings),
        None => {
            // A key says whose it is: no other provider may see it.
            let of_key = key.map(|key| match key.expose_secret().trim() {
                key if key.starts_with("sk-ant-") => ProviderName::Anthropic,
                key if key.starts_with("AIza") => ProviderName::Google,
                key if key.starts_with("sk-or-") => ProviderName::OpenRouter,
                key if key.starts_with("gsk_") => ProviderName::Groq,
                _ => ProviderName::OpenAi,
            });
            let of_env = || PROVIDERS[..FOUND].iter().find(|one| env_key(env, one).is_some()).map(|one| one.name);
            match of_key.or_else(of_env) {
                Some(name) => known(client, settings, of_name(name), env),
                None => Ok(local(client, settings, ollama).await.unwrap_or_else(|| offline.clone())),
            }
        }
    }
}

/// The named provider of these settings, without any key of the server.
pub(super) fn of_project(client: &ModelClient, settings: &LlmSettings) -> Result<Provider, ModelFailure> {
    match settings.provider {
        Some(ProviderName::OpenAiCompatible) => compatible(client, settings),
        Some(name) if name != ProviderName::Rehearsal => known(client, settings, of_name(name), &|_| None),
        _ => Err(permanent("a provider of a project is a server")),
    }
}

/// The address of a provider, if settings name none; empty if they must.
pub(super) fn own_base_url(name: ProviderName) -> &'static str {
    PROVIDERS.iter().find(|known| known.name == name).map_or("", |known| known.base_url)
}

/// Providers whose key alone selects them, at the beginning of the table.
const FOUND: usize = 3;

fn of_name(name: ProviderName) -> &'static KnownProvider {
    PROVIDERS.iter().find(|known| known.name == name).unwrap_or(&PROVIDERS[0])
}

fn known(
    client: &ModelClient,
    settings: &LlmSettings,
    provider: &KnownProvider,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Provider, ModelFailure> {
    let configured = settings.api_key.clone().filter(|key| !key.expose_secret().trim().is_empty());
    let Some(key) = configured.or_else(|| env_key(env, provider)) else {
        let name = provider.name.as_str();
        return Err(key_missing(format!("{name} has no key; set one, or {}", provider.key_variable)));
    };
    let base_url = given(settings.base_url.as_deref()).unwrap_or(provider.base_url).to_owned();
    let model = given(settings.model.as_deref()).unwrap_or(provider.model).to_owned();
    let name = provider.name.as_str();
    if base_url.is_empty() {
        return Err(permanent(format!("{name} needs a base URL, https://RESOURCE.openai.azure.com/openai/v1")));
    }
    if matches!(provider.dialect, Dialect::Anthropic | Dialect::Gemini) {
        let tuning = settings.tuning.clone();
        let native = Native::new(client.clone(), (provider.dialect, name), base_url, key, model, tuning);
        return Ok(Provider::Native(native));
    }
    Ok(self::model(
        client,
        Endpoint {
            provider: name.to_owned(),
            dialect: provider.dialect,
            base_url,
            api_key: Some(key),
            model,
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
            dialect: Dialect::at(base_url),
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
    let get = client.request(Method::GET, &format!("{base}/api/tags")).ok()?.timeout(OLLAMA_PATIENCE);
    let mut response = get.send().await.ok()?.error_for_status().ok()?;
    let (body, _) = crate::wire::read_capped(&mut response, 1 << 20).await.ok()?;
    let tags: Value = serde_json::from_slice(&body).ok()?;
    let first = tags.pointer("/models/0/name")?.as_str()?;
    Some(model(
        client,
        Endpoint {
            provider: String::from("Ollama"),
            dialect: Dialect::Compatible,
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
