//! /api/v1 routes of the inbox.

mod counts;
mod get;
mod list;
mod messages;
mod read;
mod view;

use crate::AppState;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::handle))
        .routes(routes!(counts::handle))
        .routes(routes!(get::handle))
        .routes(routes!(messages::handle))
        .routes(routes!(read::handle))
}
