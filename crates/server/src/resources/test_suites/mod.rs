//! /api/v1 routes of test suites.

mod create;
mod get;
mod list;
mod update;
mod view;

pub(crate) use view::MOST_CASES;

use crate::AppState;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::handle))
        .routes(routes!(create::handle))
        .routes(routes!(get::handle, update::handle))
}

crate::found::path_row!(store::test_suites::TestSuiteRow, "Test suite", store::test_suites::find);
