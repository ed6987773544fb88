//! Language models: one request and response type, one file per wire format.
//!
//! URLs of the operator are trusted; those of projects go through the guard. A request is sent
//! once: retries and fallbacks belong to the caller (docs/spec/engine.md 5.3), which has the
//! deadline and writes the journal.

mod adaptation;
mod anthropic;
mod arguments;
mod bounds;
mod check;
pub mod config;
mod dialect;
mod estimate;
mod exchange;
mod failure;
mod form;
mod gemini;
mod known_models;
mod lengths;
mod model_client;
mod model_list;
mod models;
mod native;
mod neutral;
mod of_project;
pub mod openai;
mod pictures;
mod provider;
mod provider_name;
mod refusal;
mod refusal_pictures;
mod refusal_row;
mod refusal_table;
pub mod refusals;
mod render;
mod schemas;
mod stream;
mod tuning;
mod waits;

pub use adaptation::Adaptation;
pub use check::{Abilities, Checked, abilities, check, images};
pub use config::{LlmSettings, OllamaProbe, resolve};
pub use dialect::Dialect;
pub use failure::BLOCKED_ADDRESS;
pub use model_client::ModelClient;
pub use model_list::list as list_models;
pub use models::Models;
pub use of_project::ProjectConnection;
pub use pictures::PictureLimits;
pub use provider::{InProcessModel, Provider};
pub use provider_name::{ProviderName, UnknownProvider};
pub use render::{key_variables, rendered};
pub use tuning::Tuning;
