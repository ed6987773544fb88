//! /api/v1 routes of sandbox sessions.

mod create;
mod delete;
mod get;
mod list;
mod restart;
mod view;

use crate::AppState;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::handle, create::handle))
        .routes(routes!(get::handle, delete::handle))
        .routes(routes!(restart::handle))
}

crate::found::path_row!(store::sandbox_sessions::SandboxSessionRow, "Sandbox session", store::sandbox_sessions::find);
