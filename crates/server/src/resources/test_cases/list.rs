//! `GET /test_suites/{test_suite_id}/test_cases`

use super::view::TestCase;
use crate::{
    ApiError,
    api::{List, Page},
    auth::{ProjectContext, path_id},
};
use axum::extract::Path;
use store::{test_cases, test_suites};

/// Cases of a suite
///
/// Newest first; all come unless a page is asked for.
#[utoipa::path(
    get, path = "/test_suites/{test_suite_id}/test_cases", operation_id = "list_test_cases", tag = "Test Suites",
    params(("test_suite_id", description = "Suite id."), List),
    responses((status = 200, description = "One page of cases.", body = Page<TestCase>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Path(suite): Path<String>,
    list: List,
) -> Result<Page<TestCase>, ApiError> {
    let suite = path_id(&suite, "Test suite")?;
    let list = list.or_everything();
    let (limit, offset) = list.range();
    let mut reader = ctx.store.read().await?;
    let mut conn = reader.conn();
    test_suites::find(&mut conn, ctx.project, suite).await?.ok_or(ApiError::NotFound("Test suite"))?;
    let (rows, total) = test_cases::list(&mut conn, ctx.project, suite, limit, offset).await?;
    Ok(list.page(rows.iter().map(TestCase::of).collect(), total))
}
