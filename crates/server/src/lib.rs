//! Turns HTTP into calls and runs the workers.
//!
//! `serve`, `dev` and every test start the same thing through [`build`]: a server on a port, with its workers.

mod api;
mod auth;
mod channel;
mod clock;
pub mod config;
mod context;
mod docs;
mod error;
pub mod failpoint;
mod health;
pub mod ingest;
mod library;
mod mcp_lists;
mod media;
mod node;
pub mod operator;
pub mod replay;
mod resources;
mod router;
mod sandbox;
mod secrets;
pub mod settings;
mod start;
mod takeover;
pub mod telemetry;
mod templates;
mod test_mode;
mod uploads;
pub mod workers;

pub use clock::Clock;
pub use config::{Config, Sandbox};
pub use context::{Context, Parts, Randomness};
pub use error::ApiError;
pub use router::{openapi, router};
pub use start::{App, StartError, build};
