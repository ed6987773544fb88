//! /api/v1 routes of executions.

mod create;
mod get;
mod input;
mod list;
mod resume;
mod view;

use crate::Context;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn routes() -> OpenApiRouter<Context> {
    OpenApiRouter::new()
        .routes(routes!(list::handle, create::handle))
        .routes(routes!(get::handle))
        .routes(routes!(resume::handle))
}
