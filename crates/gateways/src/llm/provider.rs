//! The interface of model providers.

use super::{bounds::bounded, estimate, native::Native, openai::OpenAi, pictures::PictureLimits};
use crate::InProcess;
use domain::{
    agent::LlmConfig,
    chat::{ModelChoice, ModelFailure, ModelRequest, ModelResponse, Rendering},
};

#[derive(Debug, Clone)]
pub enum Provider {
    /// A server with OpenAI's chat-completions protocol.
    OpenAi(OpenAi),
    /// Anthropic or Gemini.
    Native(Native),
    InProcess(InProcessModel),
}

/// A model that runs in this process: the rehearsal model or a simulation.
#[derive(Debug, Clone)]
pub struct InProcessModel {
    choice: ModelChoice,
    function: InProcess<(ModelRequest, String), Result<ModelResponse, ModelFailure>>,
}

impl InProcessModel {
    /// `function` takes the request and its trace id. `choice` is the name shown for the model.
    pub fn new(
        choice: ModelChoice,
        function: InProcess<(ModelRequest, String), Result<ModelResponse, ModelFailure>>,
    ) -> Self {
        Self { choice, function }
    }
}

impl Provider {
    /// Sends the request once. `trace_id` is the same on every attempt of a request.
    pub async fn complete(&self, request: &ModelRequest, trace_id: &str) -> Result<ModelResponse, ModelFailure> {
        let answer = match self {
            Self::OpenAi(model) => model.complete(request, trace_id).await,
            Self::Native(model) => model.complete(request, trace_id).await,
            Self::InProcess(model) => {
                return model.function.call((request.clone(), trace_id.to_owned())).await.map(bounded);
            }
        };
        answer.map(|answer| bounded(estimate::with_usage(request, answer)))
    }

    /// Body of the request as the provider receives it; `None` for a model in this process.
    pub fn body(&self, request: &ModelRequest, rendering: Option<&Rendering>) -> Option<Result<Vec<u8>, ModelFailure>> {
        match self {
            Self::OpenAi(model) => Some(model.body(request, rendering)),
            Self::Native(model) => Some(model.body(request, rendering)),
            Self::InProcess(_) => None,
        }
    }

    /// Bounds of the pictures of a request; `None` if the selected model is not shown any.
    pub fn picture_limits(&self, config: &LlmConfig) -> Option<PictureLimits> {
        match self {
            Self::OpenAi(model) => model.picture_limits(config),
            Self::Native(model) => model.picture_limits(config),
            Self::InProcess(_) => None,
        }
    }

    /// The model that answers a request, which may name another one of the provider.
    pub fn chosen(&self, request: &ModelRequest) -> ModelChoice {
        match self {
            Self::OpenAi(model) => model.chosen(request),
            Self::Native(model) => model.chosen(request),
            Self::InProcess(model) => model.choice.clone(),
        }
    }

    /// The provider's and the model's name, without the key.
    pub fn describe(&self) -> ModelChoice {
        match self {
            Self::OpenAi(model) => model.describe(),
            Self::Native(model) => model.describe(),
            Self::InProcess(model) => model.choice.clone(),
        }
    }
}
