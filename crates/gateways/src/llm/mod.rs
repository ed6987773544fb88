//! Language models: one request and response type, one file per wire format.
//!
//! URLs come from the operator and are trusted. A request is sent once: retries and fallbacks
//! belong to the caller (docs/spec/engine.md 5.3), which has the deadline and writes the journal.

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
