//! Providers with a protocol of their own: Anthropic and Gemini.

use super::{
    ModelClient, Tuning,
    adaptation::Learned,
    anthropic,
    dialect::Dialect,
    exchange::{Exchange, Listing, Protocol, secret_header, tracing_headers},
    form::Form,
    gemini, openai,
    pictures::{self, PictureLimits},
    refusal::Refusal,
    refusals, render,
};
use domain::{
    agent::LlmConfig,
    chat::{ModelChoice, ModelFailure, ModelRequest, ModelResponse, Rendering},
};
use reqwest::header::{HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

/// https://docs.anthropic.com/en/api/versioning
const ANTHROPIC_VERSION: &str = "2023-06-01";

const ANTHROPIC: Protocol =
    Protocol { error_text: openai::error_text, read: anthropic::read, fold: || Box::<anthropic::Events>::default() };
const GEMINI: Protocol =
    Protocol { error_text: openai::error_text, read: gemini::read, fold: || Box::<gemini::Responses>::default() };

/// A model of Anthropic or Google.
#[derive(Debug, Clone)]
pub struct Native {
    client: ModelClient,
    pub(super) dialect: Dialect,
    provider: &'static str,
    base_url: String,
    api_key: SecretString,
    model: String,
    tuning: Tuning,
    learned: Learned,
}

impl Native {
    pub(super) fn new(
        client: ModelClient,
        (dialect, provider): (Dialect, &'static str),
        base_url: String,
        api_key: SecretString,
        model: String,
        tuning: Tuning,
    ) -> Self {
        Self { client, dialect, provider, base_url, api_key, model, tuning, learned: Learned::default() }
    }

    /// This model with the forms that an earlier client of the same endpoint learned.
    pub(super) fn with_learned(self, learned: Learned) -> Self {
        Self { learned, ..self }
    }

    /// Request for the list of models (https://docs.anthropic.com/en/api/models-list,
    /// https://ai.google.dev/api/models#method:-models.list).
    pub(super) fn listing(&self) -> Listing<'_> {
        let base = self.base_url.trim().trim_end_matches('/');
        let url = match self.dialect {
            Dialect::Anthropic => format!("{}/v1/models?limit=1000", base.trim_end_matches("/v1")),
            _ => format!("{}/v1beta/models?pageSize=1000", base.trim_end_matches("/v1beta")),
        };
        let key = Some(self.api_key.expose_secret());
        Listing { client: &self.client, url, headers: self.headers(""), key }
    }

    pub fn describe(&self) -> ModelChoice {
        ModelChoice { provider: self.provider.to_owned(), model: self.model.clone() }
    }

    /// Sends the request once.
    pub async fn complete(&self, request: &ModelRequest, trace_id: &str) -> Result<ModelResponse, ModelFailure> {
        let tuning = Tuning::from(&request.llm).over(&self.tuning);
        let model = self.model_for(&request.llm);
        let form = self.form(model, request);
        let rendering = form.rendering(self.dialect);
        let exchange = Exchange {
            client: &self.client,
            url: self.url(model, form.streamed),
            headers: self.headers(trace_id),
            body: self.bytes(model, request, &form)?,
            timeout: tuning.timeout.unwrap_or(Tuning::TIMEOUT),
            key: Some(self.api_key.expose_secret()),
        };
        let refused = |refusal: Refusal| {
            refusals::of_request(self.dialect, &refusal, &self.learned, model, request, rendering.clone())
        };
        let protocol = if self.dialect == Dialect::Anthropic { &ANTHROPIC } else { &GEMINI };
        let response =
            exchange.send(protocol).await.map_err(|failure| form.named(self.dialect, failure))?.map_err(refused)?;
        Ok(ModelResponse { rendering: Some(Box::new(rendering)), ..response })
    }

    /// As [`super::openai::OpenAi::body`].
    pub fn body(&self, request: &ModelRequest, rendering: Option<&Rendering>) -> Result<Vec<u8>, ModelFailure> {
        let model = self.model_for(&request.llm);
        match rendering {
            Some(rendering) => self.bytes(model, request, &Form::of(self.dialect, rendering)?),
            None => self.bytes(model, request, &self.form(model, request)),
        }
    }

    /// Bounds of the pictures of a request; `None` if the selected model is not shown any.
    pub(super) fn picture_limits(&self, config: &LlmConfig) -> Option<PictureLimits> {
        pictures::limits(self.dialect, self.model_for(config), &self.learned)
    }

    /// The model that answers a request.
    pub fn chosen(&self, request: &ModelRequest) -> ModelChoice {
        ModelChoice { provider: self.provider.to_owned(), model: self.model_for(&request.llm).to_owned() }
    }

    fn form(&self, model: &str, request: &ModelRequest) -> Form {
        Form::new(self.dialect, model, &self.learned, request)
    }

    fn bytes(&self, model: &str, request: &ModelRequest, form: &Form) -> Result<Vec<u8>, ModelFailure> {
        render::body(self.dialect, (self.provider, model), &self.tuning, request, form)
    }

    fn url(&self, model: &str, streamed: bool) -> String {
        let base = self.base_url.trim().trim_end_matches('/');
        match self.dialect {
            Dialect::Anthropic => format!("{}/v1/messages", base.trim_end_matches("/v1")),
            _ => {
                let name = model.trim_start_matches("models/");
                let method = if streamed { "streamGenerateContent?alt=sse" } else { "generateContent" };
                format!("{}/v1beta/models/{name}:{method}", base.trim_end_matches("/v1beta"))
            }
        }
    }

    fn headers(&self, trace_id: &str) -> HeaderMap {
        let mut headers = tracing_headers(trace_id);
        let name = if self.dialect == Dialect::Anthropic { "x-api-key" } else { "x-goog-api-key" };
        if let Some(value) = secret_header(self.api_key.expose_secret()) {
            headers.insert(name, value);
        }
        if self.dialect == Dialect::Anthropic {
            headers.insert("anthropic-version", HeaderValue::from_static(ANTHROPIC_VERSION));
        }
        headers
    }

    /// The model that an agent names, if it names this provider or none.
    fn model_for<'a>(&'a self, config: &'a LlmConfig) -> &'a str {
        let ours = |name: &String| name.eq_ignore_ascii_case(self.provider);
        let named = config.provider_model_name.as_deref().filter(|_| config.provider_name.as_ref().is_none_or(ours));
        named.unwrap_or(&self.model)
    }
}
