//! /api/v1 routes of setup links. The page that a link opens is in `setup_page`.

mod create;
mod fields;
mod link;
mod list;
mod update;
mod view;

pub(super) use link::{read, token};
pub(super) use view::ThemeConfig;

use crate::AppState;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list::handle, create::handle)).routes(routes!(update::handle))
}
