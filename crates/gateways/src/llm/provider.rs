//! The interface of model providers.

use super::{bounds::bounded, openai::OpenAi};
use crate::InProcess;
use domain::chat::{ModelChoice, ModelFailure, ModelRequest, ModelResponse};

#[derive(Debug, Clone)]
pub enum Provider {
    /// A server with OpenAI's chat-completions protocol.
    OpenAi(OpenAi),
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
            Self::InProcess(model) => model.function.call((request.clone(), trace_id.to_owned())).await,
        };
        answer.map(bounded)
    }

    /// The provider's and the model's name, without the key.
    pub fn describe(&self) -> ModelChoice {
        match self {
            Self::OpenAi(model) => model.describe(),
            Self::InProcess(model) => model.choice.clone(),
        }
    }
}
