//! The models that can be asked.

use super::{bounds::bounded, openai::OpenAi};
use crate::InProcess;
use domain::chat::{ModelChoice, ModelFailure, ModelRequest, ModelResponse};

/// A model that can be asked.
#[derive(Debug, Clone)]
pub enum Provider {
    /// Anything that speaks OpenAI's chat completions.
    OpenAi(OpenAi),
    /// A function of this process.
    InProcess(InProcessModel),
}

/// A model that this process runs itself: the rehearsal model, or a simulation.
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
    /// Asks once. `trace_id` is the same on every attempt of one question, so that a provider can recognise it.
    pub async fn complete(&self, request: &ModelRequest, trace_id: &str) -> Result<ModelResponse, ModelFailure> {
        let answer = match self {
            Self::OpenAi(model) => model.complete(request, trace_id).await,
            Self::InProcess(model) => model.function.ask((request.clone(), trace_id.to_owned())).await,
        };
        answer.map(bounded)
    }

    /// Which model this is, without its key.
    pub fn describe(&self) -> ModelChoice {
        match self {
            Self::OpenAi(model) => model.describe(),
            Self::InProcess(model) => model.choice.clone(),
        }
    }
}
