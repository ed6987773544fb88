//! /api/v1 routes of test cases.

mod create;
mod delete;
mod get;
mod list;
mod update;
mod view;

pub(crate) use create::NewTestCase;
pub(crate) use view::TestCase;

use crate::AppState;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list::handle, create::handle)).routes(routes!(
        get::handle,
        update::handle,
        delete::handle
    ))
}

crate::found::path_row!(store::test_cases::TestCaseRow, "Test case", store::test_cases::find);
