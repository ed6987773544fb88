//! /api/v1 route of the live feed.

mod list;
mod stream;
mod view;

pub(crate) use list::Place;
pub(crate) use stream::of_project;

use crate::AppState;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list::handle))
}
