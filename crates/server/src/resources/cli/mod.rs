//! /api/cli: sign-in of the command line, and API keys of its user's projects.

mod authorize;
mod exchange;
mod generate_api_key;
mod projects;
mod request;
mod revoke;
mod verify;
mod version;

pub(crate) use authorize::handle as authorize;

use crate::AppState;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(request::handle))
        .routes(routes!(exchange::handle))
        .routes(routes!(verify::handle))
        .routes(routes!(revoke::handle))
        .routes(routes!(projects::list))
        .routes(routes!(projects::get))
        .routes(routes!(generate_api_key::handle))
        .routes(routes!(version::handle))
}
