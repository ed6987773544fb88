//! /api/v1 routes of projects. A key sees only its own.

mod get;
mod view;

pub(crate) use view::Project;

use crate::AppState;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(get::handle))
}
