//! HTTP: routes, authentication, API documents, Meta's webhooks, and the start of the server.
//!
//! [`build`] starts a server on a port with its workers; `serve`, `dev` and every test use it.
//!
//! Order of modules (each imports only from those before it): error, api, state, auth, change,
//! found, resources, docs, health, media, webhooks, telemetry, router, connections, settings,
//! config, operator, lock, master_key, backup, well_known, start, doctor.

mod api;
mod auth;
pub mod backup;
mod change;
pub mod config;
mod connections;
mod docs;
pub mod doctor;
mod error;
mod found;
mod health;
mod lock;
mod master_key;
mod media;
pub mod operator;
mod resources;
mod router;
pub mod settings;
mod start;
mod state;
pub mod telemetry;
mod webhooks;
pub mod well_known;

pub use config::Config;
pub use connections::ConnectionLimits;
pub use docs::openapi;
pub use error::ApiError;
pub use lock::LockError;
pub use master_key::KeyError;
pub use router::router;
pub use start::{App, StartError, build};
pub use state::AppState;
