//! `GET /test_suites/{test_suite_id}`

use super::view::TestSuite;
use crate::{
    ApiError,
    api::Data,
    auth::{ProjectContext, path_id},
};
use axum::extract::Path;
use store::test_suites;

/// One suite with its cases
#[utoipa::path(
    get, path = "/test_suites/{test_suite_id}", operation_id = "get_test_suite", tag = "Test Suites",
    params(("test_suite_id", description = "Suite id.")),
    responses((status = 200, description = "The suite.", body = Data<TestSuite>))
)]
pub(super) async fn handle(ctx: ProjectContext, Path(id): Path<String>) -> Result<Data<TestSuite>, ApiError> {
    let id = path_id(&id, "Test suite")?;
    let mut reader = ctx.store.read().await?;
    let mut conn = reader.conn();
    let row = test_suites::find(&mut conn, ctx.project, id).await?.ok_or(ApiError::NotFound("Test suite"))?;
    Ok(Data { data: TestSuite::of(&mut conn, ctx.project, &row).await? })
}
