//! The models that can be asked.

use super::{bounds::bounded, openai::OpenAi, rehearsal};
use crate::{ClientError, InProcess, wire};
use domain::chat::{ModelChoice, ModelFailure, ModelRequest, ModelResponse};
use std::time::Duration;

/// The connection pool that all models share. Cloning shares it.
#[derive(Debug, Clone)]
pub struct ModelClient(reqwest::Client);

impl ModelClient {
    /// A new pool; one per process is enough.
    pub fn new() -> Result<Self, ClientError> {
        let builder = wire::builder().connect_timeout(Duration::from_secs(10));
        Ok(Self(builder.build()?))
    }

    pub(super) fn http(&self) -> &reqwest::Client {
        &self.0
    }
}

/// A model that can be asked.
#[derive(Debug, Clone)]
pub enum Provider {
    /// Anything that speaks OpenAI's chat completions.
    OpenAi(OpenAi),
    /// Built in, offline, deterministic, and not an AI.
    Rehearsal,
    /// A function of this process: question and trace id in, answer out.
    InProcess(InProcess<(ModelRequest, String), Result<ModelResponse, ModelFailure>>),
}

impl Provider {
    /// Asks once. `trace_id` is the same on every attempt of one question, so that a provider can recognise it.
    pub async fn complete(&self, request: &ModelRequest, trace_id: &str) -> Result<ModelResponse, ModelFailure> {
        let answer = match self {
            Self::OpenAi(model) => model.complete(request, trace_id).await,
            Self::Rehearsal => Ok(rehearsal::answer(request)),
            Self::InProcess(model) => model.ask((request.clone(), trace_id.to_owned())).await,
        };
        answer.map(bounded)
    }

    /// Which model this is, without its key.
    pub fn describe(&self) -> ModelChoice {
        match self {
            Self::OpenAi(model) => model.describe(),
            Self::Rehearsal => ModelChoice { provider: String::from("Rehearsal"), model: String::from("built-in") },
            Self::InProcess(_) => ModelChoice { provider: String::from("InProcess"), model: String::from("simulated") },
        }
    }
}
