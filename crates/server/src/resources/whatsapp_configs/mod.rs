//! /api/v1 routes of WhatsApp configs: the numbers that a project's customers are reached by.

mod create;
mod delete;
mod get;
mod health;
mod list;
mod save;
mod update;
mod view;

pub(super) use delete::{close_most, remove};
pub(super) use view::WhatsappConfig;

use crate::AppState;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::handle))
        .routes(routes!(list::of_customer, create::handle))
        .routes(routes!(get::handle, update::handle, delete::handle))
        .routes(routes!(health::handle))
}
