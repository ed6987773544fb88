//! `DELETE /test_cases/{test_case_id}`

use crate::{
    ApiError,
    api::{Changed, change::change},
    auth::{ProjectContext, path_id},
};
use axum::{extract::Path, http::StatusCode};
use domain::ids::TestCaseId;
use runtime::trials;
use store::{test_cases, test_runs};

/// Remove a case with its runs
#[utoipa::path(
    delete, path = "/test_cases/{test_case_id}", operation_id = "delete_test_case", tag = "Test Suites",
    params(("test_case_id", description = "Case id.")),
    responses((status = 204, description = "It is gone."))
)]
pub(super) async fn handle(ctx: ProjectContext, Path(id): Path<String>) -> Result<Changed<StatusCode>, ApiError> {
    let id: TestCaseId = path_id(&id, "Test case")?;
    let project = ctx.project;
    change!(ctx, "test_case.delete", tx => {
        let case = test_cases::lock(tx, project, id).await?.ok_or(ApiError::NotFound("Test case"))?;
        // A run that is under way finds its row gone and its job ends with it.
        test_runs::delete_of_case(tx, project, id).await?;
        test_cases::delete(tx, project, id).await?;
        // Those that waited for its runs.
        trials::start_queued(&ctx, tx, project, case.suite_id).await?;
        Ok(StatusCode::NO_CONTENT)
    })
}
