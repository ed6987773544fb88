//! Sends requests to a chat-completions server.

use super::{
    super::{
        ModelClient, Tuning,
        adaptation::Learned,
        dialect::Dialect,
        exchange::{Exchange, Listing, Protocol, secret_header, tracing_headers},
        form::Form,
        pictures::{self, PictureLimits},
        refusal::Refusal,
        refusals, render,
    },
    response,
    stream::Chunks,
};
use domain::{
    agent::LlmConfig,
    chat::{ModelChoice, ModelFailure, ModelRequest, ModelResponse, Opaque, Rendering},
};
use secrecy::{ExposeSecret, SecretString};

const PROTOCOL: Protocol =
    Protocol { error_text: response::error_text, read: response::read, fold: || Box::<Chunks>::default() };

#[derive(Debug, Clone)]
pub struct Endpoint {
    /// As settings name it, or `Ollama`.
    pub provider: String,
    pub dialect: Dialect,
    /// For example `https://api.openai.com/v1`.
    pub base_url: String,
    /// Sent as a bearer token. Local servers need none.
    pub api_key: Option<SecretString>,
    /// The model's name at the provider.
    pub model: String,
    /// Defaults for requests.
    pub tuning: Tuning,
}

#[derive(Debug, Clone)]
pub struct OpenAi {
    client: ModelClient,
    endpoint: Endpoint,
    learned: Learned,
}

impl OpenAi {
    pub fn new(client: ModelClient, endpoint: Endpoint) -> Self {
        Self { client, endpoint, learned: Learned::default() }
    }

    /// This model with the forms that an earlier client of the same endpoint learned.
    pub(in super::super) fn with_learned(self, learned: Learned) -> Self {
        Self { learned, ..self }
    }

    /// Request for the list of models (https://platform.openai.com/docs/api-reference/models/list).
    pub(in super::super) fn listing(&self) -> Listing<'_> {
        let base = self.base_url();
        Listing { client: &self.client, url: format!("{base}/models"), headers: self.headers(""), key: self.key() }
    }

    pub fn describe(&self) -> ModelChoice {
        ModelChoice { provider: self.endpoint.provider.clone(), model: self.endpoint.model.clone() }
    }

    /// Bounds of the pictures of a request; `None` if the selected model is not shown any.
    pub(in super::super) fn picture_limits(&self, config: &LlmConfig) -> Option<PictureLimits> {
        pictures::limits(self.endpoint.dialect, self.model_for(config), &self.learned)
    }

    /// The model that answers a request.
    pub fn chosen(&self, request: &ModelRequest) -> ModelChoice {
        let model = self.model_for(&request.llm).to_owned();
        ModelChoice { provider: self.endpoint.provider.clone(), model }
    }

    /// Body of a request in the form of this rendering, or in the present one. Equal arguments give
    /// equal bytes.
    pub fn body(&self, request: &ModelRequest, rendering: Option<&Rendering>) -> Result<Vec<u8>, ModelFailure> {
        let model = self.model_for(&request.llm);
        match rendering {
            Some(rendering) => self.bytes(model, request, &Form::of(self.endpoint.dialect, rendering)?),
            None => self.bytes(model, request, &self.form(model, request)),
        }
    }

    fn bytes(&self, model: &str, request: &ModelRequest, form: &Form) -> Result<Vec<u8>, ModelFailure> {
        let endpoint = &self.endpoint;
        render::body(endpoint.dialect, (&endpoint.provider, model), &endpoint.tuning, request, form)
    }

    /// Sends the request once.
    pub async fn complete(&self, request: &ModelRequest, trace_id: &str) -> Result<ModelResponse, ModelFailure> {
        let tuning = Tuning::from(&request.llm).over(&self.endpoint.tuning);
        let model = self.model_for(&request.llm);
        let dialect = self.endpoint.dialect;
        let form = self.form(model, request);
        let rendering = form.rendering(dialect);
        let exchange = Exchange {
            client: &self.client,
            url: self.url(),
            headers: self.headers(trace_id),
            body: self.bytes(model, request, &form)?,
            timeout: tuning.timeout.unwrap_or(Tuning::TIMEOUT),
            key: self.key(),
        };
        let refused = |refusal: Refusal| {
            refusals::of_request(dialect, &refusal, &self.learned, model, request, rendering.clone())
        };
        let response =
            exchange.send(&PROTOCOL).await.map_err(|failure| form.named(dialect, failure))?.map_err(refused)?;
        let opaque = response.opaque.map(|opaque| Opaque { provider: dialect.as_str().to_owned(), ..opaque });
        Ok(ModelResponse { opaque, rendering: Some(Box::new(rendering)), ..response })
    }

    fn form(&self, model: &str, request: &ModelRequest) -> Form {
        Form::new(self.endpoint.dialect, model, &self.learned, request)
    }

    fn headers(&self, trace_id: &str) -> reqwest::header::HeaderMap {
        let mut headers = tracing_headers(trace_id);
        // Azure takes keys in a header of its own
        // (https://learn.microsoft.com/azure/ai-services/openai/reference).
        let (name, prefix) =
            if self.endpoint.dialect == Dialect::Azure { ("api-key", "") } else { ("authorization", "Bearer ") };
        if let Some(value) = self.key().and_then(|key| secret_header(&format!("{prefix}{key}"))) {
            headers.insert(name, value);
        }
        headers
    }

    /// The model that an agent names, if it names this provider or none.
    fn model_for<'a>(&'a self, config: &'a LlmConfig) -> &'a str {
        let ours = |name: &String| name.eq_ignore_ascii_case(&self.endpoint.provider);
        let named = config.provider_model_name.as_deref().filter(|_| config.provider_name.as_ref().is_none_or(ours));
        named.unwrap_or(&self.endpoint.model)
    }

    fn url(&self) -> String {
        format!("{}/chat/completions", self.base_url())
    }

    fn base_url(&self) -> &str {
        let base = self.endpoint.base_url.trim().trim_end_matches('/');
        base.trim_end_matches("/chat/completions")
    }

    fn key(&self) -> Option<&str> {
        self.endpoint.api_key.as_ref().map(ExposeSecret::expose_secret)
    }
}
