//! `POST /test_runs/{test_run_id}/cancel`

use super::view::AgentTestRun;
use crate::{
    ApiError,
    api::Data,
    auth::{ProjectContext, path_id},
    change::{Changed, change},
    found::OrNotFound as _,
};
use axum::extract::Path;
use runtime::trials;
use store::test_runs;

/// Cancel a test run
///
/// A finished run is not changed.
#[utoipa::path(
    post, path = "/test_runs/{test_run_id}/cancel", operation_id = "cancel_test_run", tag = "Test Runs",
    params(("test_run_id", description = "Run id.")),
    responses((status = 200, description = "The test run.", body = Data<AgentTestRun>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Path(test_run_id): Path<String>,
) -> Result<Changed<Data<AgentTestRun>>, ApiError> {
    let project = ctx.project;
    // The row is read in the transaction only: a repeated request gets its stored answer after the
    // run was deleted.
    let id = path_id(&test_run_id, "Test run")?;
    let answer = change!(ctx, "test_run.cancel", tx => {
        trials::cancel(&ctx, tx, project, id).await?;
        let row = test_runs::find(tx, project, id).await?.found()?;
        Ok(Data { data: AgentTestRun::of(tx, project, &row).await? })
    })?;
    ctx.wake.notify_one();
    Ok(answer)
}
