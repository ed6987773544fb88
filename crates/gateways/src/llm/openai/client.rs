//! Sends requests to a chat-completions server.

use super::{
    super::{ModelClient, Tuning, failure},
    request::bytes,
    response,
};
use crate::{parsing::off_worker, wire};
use domain::{
    agent::LlmConfig,
    chat::{ModelChoice, ModelFailure, ModelRequest, ModelResponse},
};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

/// Longer responses are not read. Far above any real one.
const ANSWER_BYTES: usize = 16 << 20;
/// Longest part of a failed response that is classified.
const ERROR_BYTES: usize = 64 << 10;

#[derive(Debug, Clone)]
pub struct Endpoint {
    /// `OpenAI`, `OpenRouter`, `OpenAICompatible` or `Ollama`.
    pub provider: String,
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
}

impl OpenAi {
    pub fn new(client: ModelClient, endpoint: Endpoint) -> Self {
        Self { client, endpoint }
    }

    pub fn describe(&self) -> ModelChoice {
        ModelChoice { provider: self.endpoint.provider.clone(), model: self.endpoint.model.clone() }
    }

    /// Sends the request once.
    pub async fn complete(&self, request: &ModelRequest, trace_id: &str) -> Result<ModelResponse, ModelFailure> {
        let tuning = Tuning::from(&request.llm).over(&self.endpoint.tuning);
        let body = bytes(&self.endpoint.provider, self.model_for(&request.llm), &tuning, request)
            .map_err(|error| failure::permanent(format!("the request is not valid JSON: {error}")))?;
        let mut post = self
            .client
            .http()
            .post(self.url())
            .timeout(tuning.timeout.unwrap_or(Tuning::TIMEOUT))
            .headers(tracing_headers(trace_id))
            .header(CONTENT_TYPE, "application/json")
            .body(body);
        if let Some(key) = self.key() {
            post = post.bearer_auth(key);
        }
        let mut response = post.send().await.map_err(|error| self.no_answer(&error))?;
        let status = response.status();
        let wait = wire::retry_after_ms(response.headers());
        let (body, truncated) =
            wire::read_capped(&mut response, ANSWER_BYTES).await.map_err(|error| self.no_answer(&error))?;
        if !status.is_success() {
            let message = format!("HTTP {}: {}", status.as_u16(), response::error_text(&body));
            let details = String::from_utf8_lossy(&body[..body.len().min(ERROR_BYTES)]);
            return Err(failure::for_status(status.as_u16(), self.clean(&message), &details, wait));
        }
        if truncated {
            return Err(failure::permanent("the model's answer is longer than 16 MiB"));
        }
        let read = off_worker(body, response::read).await;
        let read = read.ok_or_else(|| failure::permanent("the model's answer cannot be read"))?;
        read.map_err(|unusable| {
            let message = self.clean(&unusable.message);
            failure::for_status(unusable.status, message, &unusable.message, wait)
        })
    }

    /// The model that an agent names, if it names this provider or none.
    fn model_for<'a>(&'a self, config: &'a LlmConfig) -> &'a str {
        let ours = |name: &String| name.eq_ignore_ascii_case(&self.endpoint.provider);
        let named = config.provider_model_name.as_deref().filter(|_| config.provider_name.as_ref().is_none_or(ours));
        named.unwrap_or(&self.endpoint.model)
    }

    fn url(&self) -> String {
        let base = self.endpoint.base_url.trim().trim_end_matches('/');
        format!("{}/chat/completions", base.trim_end_matches("/chat/completions"))
    }

    fn key(&self) -> Option<&str> {
        self.endpoint.api_key.as_ref().map(ExposeSecret::expose_secret)
    }

    fn no_answer(&self, error: &reqwest::Error) -> ModelFailure {
        // A builder error (an invalid base URL) fails the same way each time.
        if error.is_builder() {
            return failure::permanent("the model's base URL or key cannot be used");
        }
        let failure = failure::for_connection(error);
        ModelFailure { message: self.clean(&failure.message), ..failure }
    }

    /// Removes the key: providers repeat it in their messages ("incorrect key: sk-…").
    fn clean(&self, message: &str) -> String {
        wire::presentable(message, self.key())
    }
}

fn tracing_headers(trace_id: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_str(trace_id)
        && !value.is_empty()
    {
        headers.insert("idempotency-key", value.clone());
        headers.insert("x-client-request-id", value);
    }
    headers
}
