//! /api/v1 routes of a number's outgoing webhooks, as the contract has them.

mod create;
mod delete;
mod get;
mod list;
mod update;
mod view;

pub(super) use view::names;

use crate::AppState;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list::handle, create::handle)).routes(routes!(
        get::handle,
        update::handle,
        delete::handle
    ))
}
