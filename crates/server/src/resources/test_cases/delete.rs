//! `DELETE /test_cases/{test_case_id}`

use crate::{
    ApiError,
    auth::ProjectContext,
    change::{Changed, change},
    found::{Found, OrNotFound as _},
};
use axum::http::StatusCode;
use runtime::trials;
use store::{test_cases, test_runs};

/// Delete a case with its runs
///
/// A run under way is ended.
#[utoipa::path(
    delete, path = "/test_cases/{test_case_id}", operation_id = "delete_test_case", tag = "Test Suites",
    params(("test_case_id", description = "Case id.")),
    responses((status = 204, description = "Deleted."))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(case): Found<test_cases::TestCaseRow>,
) -> Result<Changed<StatusCode>, ApiError> {
    let project = ctx.project;
    change!(ctx, "test_case.delete", tx => {
        let case = test_cases::lock(tx, project, case.id).await?.found()?;
        // A running one finds its case deleted, and its job ends.
        test_runs::delete_of_case(tx, project, case.id).await?;
        test_cases::delete(tx, project, case.id).await?;
        // Starts the runs queued behind it.
        trials::start_queued(&ctx, tx, project, case.suite_id).await?;
        Ok(StatusCode::NO_CONTENT)
    })
}
