//! `GET /test_cases/{test_case_id}`

use super::view::TestCase;
use crate::{
    ApiError,
    api::Data,
    auth::{ProjectContext, path_id},
};
use axum::extract::Path;
use store::test_cases;

/// One case
#[utoipa::path(
    get, path = "/test_cases/{test_case_id}", operation_id = "get_test_case", tag = "Test Suites",
    params(("test_case_id", description = "Case id.")),
    responses((status = 200, description = "The case.", body = Data<TestCase>))
)]
pub(super) async fn handle(ctx: ProjectContext, Path(id): Path<String>) -> Result<Data<TestCase>, ApiError> {
    let id = path_id(&id, "Test case")?;
    let mut reader = ctx.store.read().await?;
    let row = test_cases::find(&mut reader.conn(), ctx.project, id).await?.ok_or(ApiError::NotFound("Test case"))?;
    Ok(Data { data: TestCase::of(&row) })
}
