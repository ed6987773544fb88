//! /api/v1 routes of secrets.

mod delete;
mod list;
mod put;

use crate::AppState;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list::handle)).routes(routes!(put::handle, delete::handle))
}
