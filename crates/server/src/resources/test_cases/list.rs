//! `GET /test_suites/{test_suite_id}/test_cases`

use super::view::TestCase;
use crate::{
    ApiError,
    api::{List, Page},
    auth::ProjectContext,
    found::Found,
};
use store::{test_cases, test_suites};

/// List the cases of a suite
///
/// Newest first. Returns all unless a page is requested.
#[utoipa::path(
    get, path = "/test_suites/{test_suite_id}/test_cases", operation_id = "list_test_cases", tag = "Test Suites",
    params(("test_suite_id", description = "Suite id."), List),
    responses((status = 200, description = "One page of cases.", body = Page<TestCase>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(suite): Found<test_suites::TestSuiteRow>,
    list: List,
) -> Result<Page<TestCase>, ApiError> {
    let list = list.unpaged_by_default();
    let (limit, offset) = list.range();
    let mut reader = ctx.store.read().await?;
    let mut conn = reader.conn();
    let (rows, total) = test_cases::list(&mut conn, ctx.project, suite.id, limit, offset).await?;
    Ok(list.page(rows.iter().map(TestCase::of).collect(), total))
}
