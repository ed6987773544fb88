//! `POST /test_runs/{test_run_id}/cancel`

use super::view::AgentTestRun;
use crate::{
    ApiError,
    api::{Changed, Data, change::change},
    auth::{ProjectContext, path_id},
};
use axum::extract::Path;
use domain::ids::TestRunId;
use runtime::trials;
use store::test_runs;

/// Cancel a run
///
/// One that is over stays as it is.
#[utoipa::path(
    post, path = "/test_runs/{test_run_id}/cancel", operation_id = "cancel_test_run", tag = "Test Runs",
    params(("test_run_id", description = "Run id.")),
    responses((status = 200, description = "The run.", body = Data<AgentTestRun>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Path(id): Path<String>,
) -> Result<Changed<Data<AgentTestRun>>, ApiError> {
    let gone = || ApiError::NotFound("Test run");
    let id: TestRunId = path_id(&id, "Test run")?;
    let project = ctx.project;
    let answer = change!(ctx, "test_run.cancel", tx => {
        trials::cancel(&ctx, tx, project, id).await?;
        let row = test_runs::find(tx, project, id).await?.ok_or_else(gone)?;
        Ok(Data { data: AgentTestRun::of(tx, project, &row).await? })
    })?;
    ctx.wake.notify_one();
    Ok(answer)
}
