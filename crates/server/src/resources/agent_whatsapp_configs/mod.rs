//! /api/v1 routes of the links between agents and the numbers that they answer on.

mod create;
mod delete;
mod get;
mod list;
mod update;
mod view;

use crate::AppState;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list::handle, create::handle)).routes(routes!(
        get::handle,
        update::handle,
        delete::handle
    ))
}
