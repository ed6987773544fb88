//! Language models: one shape of question and answer, one file per wire format.
//!
//! URLs here are the operator's and trusted. A request is made once: retries and fallbacks are the caller's
//! (engine.md 5.3), which knows the deadline and writes the journal.

mod arguments;
mod bounds;
mod choice;
pub mod config;
mod failure;
pub mod models;
pub mod openai;
mod provider;
pub mod rehearsal;
mod tuning;

pub use choice::Models;
pub use config::{LlmSettings, OllamaProbe, ProviderName, resolve};
pub use provider::{ModelClient, Provider};
pub use tuning::Tuning;
