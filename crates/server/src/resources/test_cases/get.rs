//! `GET /test_cases/{test_case_id}`

use super::view::TestCase;
use crate::{ApiError, api::Data, found::Found};
use store::test_cases;

/// Read one case
///
/// A case is a script for the simulated user and a rubric for the judge.
#[utoipa::path(
    get, path = "/test_cases/{test_case_id}", operation_id = "get_test_case", tag = "Test Suites",
    params(("test_case_id", description = "Case id.")),
    responses((status = 200, description = "The case.", body = Data<TestCase>))
)]
pub(super) async fn handle(Found(case): Found<test_cases::TestCaseRow>) -> Result<Data<TestCase>, ApiError> {
    Ok(Data { data: TestCase::of(&case) })
}
