//! /api/v1 routes of executions.

mod create;
mod deleted_texts;
mod events;
mod get;
mod input;
mod journal_events;
mod list;
mod newest;
mod resume;
mod step;
mod update;
mod view;

pub(crate) use input::Message;

use crate::AppState;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(newest::handle))
        .routes(routes!(list::handle, create::handle))
        .routes(routes!(get::handle, update::handle))
        .routes(routes!(events::handle))
        .routes(routes!(resume::handle))
        .routes(routes!(step::handle))
}
