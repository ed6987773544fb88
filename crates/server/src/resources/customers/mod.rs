//! /api/v1 routes of customers.

mod create;
mod delete;
mod get;
mod list;
mod update;
mod view;

use crate::AppState;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list::handle, create::handle)).routes(routes!(
        get::handle,
        update::handle,
        delete::handle
    ))
}

crate::found::path_row!(store::customers::CustomerRow, "Customer", store::customers::find);
