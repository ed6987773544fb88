//! /api/v1 routes of the audit log.

mod export;
mod filters;
mod list;

use crate::AppState;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list::handle)).routes(routes!(export::handle))
}
