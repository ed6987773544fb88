//! /api/v1 routes of secrets.

mod put;

use crate::Context;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn routes() -> OpenApiRouter<Context> {
    OpenApiRouter::new().routes(routes!(put::handle))
}
