//! /api/v1 routes of executions.

mod create;
mod events;
mod get;
mod input;
mod list;
mod resume;
mod update;
mod view;

pub(crate) use input::Message;

use crate::AppState;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::handle, create::handle))
        .routes(routes!(get::handle, update::handle))
        .routes(routes!(events::handle))
        .routes(routes!(resume::handle))
}
