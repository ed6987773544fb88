//! `GET /test_runs/{test_run_id}`

use super::view::AgentTestRun;
use crate::{
    ApiError,
    api::Data,
    auth::{ProjectContext, path_id},
};
use axum::extract::Path;
use store::test_runs;

/// One run
///
/// Clients poll it until `ended_at` is set.
#[utoipa::path(
    get, path = "/test_runs/{test_run_id}", operation_id = "get_test_run", tag = "Test Runs",
    params(("test_run_id", description = "Run id.")),
    responses((status = 200, description = "The run.", body = Data<AgentTestRun>))
)]
pub(super) async fn handle(ctx: ProjectContext, Path(id): Path<String>) -> Result<Data<AgentTestRun>, ApiError> {
    let id = path_id(&id, "Test run")?;
    let mut reader = ctx.store.read().await?;
    let mut conn = reader.conn();
    let row = test_runs::find(&mut conn, ctx.project, id).await?.ok_or(ApiError::NotFound("Test run"))?;
    Ok(Data { data: AgentTestRun::of(&mut conn, ctx.project, &row).await? })
}
