//! Selects the model for a request: the server's default, unless the agent names a provider
//! (docs/spec/engine.md 5.2).

use super::{
    LlmSettings, ModelClient, OllamaProbe, PictureLimits, Provider, ProviderName, failure::provider_missing, resolve,
};
use domain::{
    agent::LlmConfig,
    chat::{ModelChoice, ModelFailure, ModelRequest, ModelResponse, Rendering},
};

/// The models that agents can use. Keys are read once, at start.
#[derive(Debug, Clone)]
pub struct Models {
    usual: Provider,
    named: Vec<(ProviderName, Result<Provider, ModelFailure>)>,
}

impl From<Provider> for Models {
    /// One model for all agents, whatever provider they name.
    fn from(usual: Provider) -> Self {
        Self { usual, named: Vec::new() }
    }
}

impl Models {
    /// Resolves the default model and those that agents may name.
    pub async fn load(
        client: &ModelClient,
        settings: &LlmSettings,
        env: &(dyn Fn(&str) -> Option<String> + Sync),
        ollama: &OllamaProbe,
        offline: &Provider,
    ) -> Result<Self, ModelFailure> {
        let usual = resolve(client, settings, env, ollama, offline).await?;
        let mut named = Vec::new();
        for name in ProviderName::ALL {
            let own = LlmSettings { provider: Some(name), ..LlmSettings::default() };
            named.push((name, resolve(client, &own, env, &OllamaProbe::Off, offline).await));
        }
        Ok(Self { usual, named })
    }

    /// Sends the request once. `trace_id` is the same on every attempt of a request.
    pub async fn complete(&self, request: &ModelRequest, trace_id: &str) -> Result<ModelResponse, ModelFailure> {
        self.for_config(&request.llm)?.complete(request, trace_id).await
    }

    /// The model that a request goes to, and the body that its provider receives: in the form of
    /// `rendering`, or in the present one. `None` for a model in this process, which receives no
    /// bytes.
    pub fn body(
        &self,
        request: &ModelRequest,
        rendering: Option<&Rendering>,
    ) -> Result<(ModelChoice, Option<Vec<u8>>), ModelFailure> {
        let provider = self.for_config(&request.llm)?;
        let body = provider.body(request, rendering).transpose()?;
        Ok((provider.chosen(request), body))
    }

    /// Bounds of the pictures of a request; `None` if the selected model is not shown any.
    pub fn picture_limits(&self, config: &LlmConfig) -> Option<PictureLimits> {
        self.for_config(config).ok()?.picture_limits(config)
    }

    /// The server's default model.
    pub fn describe(&self) -> ModelChoice {
        self.usual.describe()
    }

    /// True if the server has a provider of this name, with or without a key.
    pub fn knows(&self, name: &str) -> bool {
        self.named.is_empty()
            || name.trim().eq_ignore_ascii_case(&self.usual.describe().provider)
            || name.parse::<ProviderName>().is_ok()
    }

    /// Models of the server that work: the default one first.
    pub fn available(&self) -> Vec<ModelChoice> {
        let usual = self.usual.describe();
        let others = self.named.iter().filter_map(|(_, provider)| provider.as_ref().ok().map(Provider::describe));
        let others: Vec<ModelChoice> = others.filter(|choice| choice.provider != usual.provider).collect();
        std::iter::once(usual).chain(others).collect()
    }

    fn for_config(&self, config: &LlmConfig) -> Result<&Provider, ModelFailure> {
        let Some(name) = config.provider_name.as_deref().filter(|_| !self.named.is_empty()) else {
            return Ok(&self.usual);
        };
        if name.trim().eq_ignore_ascii_case(&self.usual.describe().provider) {
            return Ok(&self.usual);
        }
        let named: ProviderName = name.parse().map_err(|why| provider_missing(format!("{name} is {why}")))?;
        let found = self.named.iter().find(|(known, _)| *known == named).map(|(_, provider)| provider);
        found.map_or(Ok(&self.usual), |provider| provider.as_ref().map_err(Clone::clone))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{InProcess, llm::InProcessModel};
    use domain::chat::ModelFailureKind;

    fn offline() -> Provider {
        let choice = ModelChoice { provider: "Rehearsal".into(), model: "built-in".into() };
        let function = InProcess::new(|_| Box::pin(async { Err(provider_missing("never asked")) }));
        Provider::InProcess(InProcessModel::new(choice, function))
    }

    #[tokio::test]
    async fn named_provider_is_used_or_its_missing_key_reported() {
        crate::tls::install();
        let client = ModelClient::new().unwrap();
        let settings = LlmSettings { base_url: Some("http://127.0.0.1:1/v1".into()), ..LlmSettings::default() };
        let env = |name: &str| (name == "OPENROUTER_API_KEY").then(|| "sk-or".to_owned());
        let models = Models::load(&client, &settings, &env, &OllamaProbe::Off, &offline()).await.unwrap();
        let named = |name: &str| LlmConfig { provider_name: Some(name.into()), ..LlmConfig::default() };
        let provider = |config: &LlmConfig| models.for_config(config).map(|provider| provider.describe().provider);
        assert_eq!(provider(&LlmConfig::default()).unwrap(), "OpenAICompatible");
        assert_eq!(provider(&named("openaicompatible")).unwrap(), "OpenAICompatible");
        assert_eq!(provider(&named("OpenRouter")).unwrap(), "OpenRouter");
        assert_eq!(provider(&named("Rehearsal")).unwrap(), "Rehearsal");
        assert_eq!(provider(&named("OpenAI")).unwrap_err().kind, ModelFailureKind::KeyMissing);
        assert_eq!(provider(&named("Unknown")).unwrap_err().kind, ModelFailureKind::ProviderMissing);
        assert_eq!(Models::from(offline()).for_config(&named("OpenAI")).unwrap().describe().provider, "Rehearsal");
    }
}
