//! /api/v1 routes of API keys.

mod create;
mod list;
mod revoke;
mod rotate;
mod view;

use crate::AppState;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::handle, create::handle))
        .routes(routes!(revoke::handle))
        .routes(routes!(rotate::handle))
}

crate::found::path_row!(store::api_keys::KeyDetails, "API key", store::api_keys::details);
