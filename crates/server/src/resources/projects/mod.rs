//! /api/v1 routes of projects: a key sees its own.

mod get;
mod view;

pub(crate) use view::Project;

use crate::Context;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn routes() -> OpenApiRouter<Context> {
    OpenApiRouter::new().routes(routes!(get::handle))
}
