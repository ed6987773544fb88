//! `GET /test_suites/{test_suite_id}`

use super::view::TestSuite;
use crate::{ApiError, api::Data, auth::ProjectContext, found::Found};
use store::test_suites;

/// Read one suite with its cases
///
/// The cases are in the order of their creation.
#[utoipa::path(
    get, path = "/test_suites/{test_suite_id}", operation_id = "get_test_suite", tag = "Test Suites",
    params(("test_suite_id", description = "Suite id.")),
    responses((status = 200, description = "The suite.", body = Data<TestSuite>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(suite): Found<test_suites::TestSuiteRow>,
) -> Result<Data<TestSuite>, ApiError> {
    let mut reader = ctx.store.read().await?;
    let mut conn = reader.conn();
    Ok(Data { data: TestSuite::of(&mut conn, ctx.project, &suite).await? })
}
