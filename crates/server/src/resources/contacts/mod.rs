//! /api/v1 routes of contacts.

mod create;
mod get;
mod list;
mod update;
mod view;

pub(super) use view::{check_metadata, find, parse_metadata};

use crate::AppState;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list::handle, create::handle)).routes(routes!(get::handle, update::handle))
}
