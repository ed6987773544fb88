//! HTTP: routes, authentication, the API's documents, Meta's webhooks, and the start of everything.
//!
//! `serve`, `dev` and every test start the same thing through [`build`]: a server on a port, with its workers.

mod api;
mod auth;
pub mod config;
mod docs;
mod error;
mod health;
mod media;
pub mod operator;
mod resources;
mod router;
pub mod settings;
mod start;
mod state;
pub mod telemetry;
mod webhooks;

pub use config::Config;
pub use error::ApiError;
pub use router::{openapi, router};
pub use start::{App, StartError, build};
pub use state::AppState;
