//! Language models: one shape of question and answer, one file per wire format.
//!
//! URLs here are the operator's and trusted. A request is made once: retries and fallbacks are the caller's
//! (engine.md 5.3), which knows the deadline and writes the journal.

mod arguments;
mod bounds;
pub mod config;
mod failure;
mod known_models;
mod model_client;
mod models;
pub mod openai;
mod provider;
mod provider_name;
mod tuning;

pub use config::{LlmSettings, OllamaProbe, resolve};
pub use model_client::ModelClient;
pub use models::Models;
pub use provider::{InProcessModel, Provider};
pub use provider_name::{ProviderName, UnknownProvider};
pub use tuning::Tuning;
