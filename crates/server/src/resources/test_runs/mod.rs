//! /api/v1 routes of test runs.

mod cancel;
mod create;
mod get;
mod list;
mod of_suite;
mod view;

use crate::AppState;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::handle, create::handle))
        .routes(routes!(of_suite::list, of_suite::create))
        .routes(routes!(get::handle))
        .routes(routes!(cancel::handle))
}

crate::found::path_row!(store::test_runs::TestRunRow, "Test run", store::test_runs::find);
