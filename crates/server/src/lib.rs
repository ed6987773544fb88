//! HTTP: routes, authentication, API documents, Meta's webhooks, and the start of the server.
//!
//! [`build`] starts a server on a port with its workers; `serve`, `dev` and every test use it.
//!
//! Order of modules (each imports only from those before it): error, passwords, api,
//! project_limits, hosts, state, auth,
//! change, found, resources, docs, assets, health, media, webhooks, telemetry, router, connections, settings,
//! config, operator, lock, master_key, backup, well_known, start, doctor.

mod api;
mod assets;
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
mod hosts;
mod lock;
mod master_key;
mod media;
pub mod operator;
mod passwords;
mod phone;
mod project_limits;
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
pub use docs::{app_openapi, openapi};
pub use error::ApiError;
pub use hosts::Hosts;
pub use lock::LockError;
pub use master_key::KeyError;
#[doc(hidden)]
pub use passwords::hash_now as password_hash;
pub use project_limits::ProjectLimits;
pub use router::router;
pub use start::{App, StartError, build};
pub use state::{Addresses, AppState, Phone, SignUp};

/// Table of roles, for the test that compares it with the document.
#[doc(hidden)]
pub mod roles {
    pub use crate::api::roles::all;
}
