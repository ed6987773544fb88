//! `GET /test_runs/{test_run_id}`

use super::view::AgentTestRun;
use crate::{ApiError, api::Data, auth::ProjectContext, found::Found};
use store::test_runs;

/// Read one test run
///
/// Clients poll it until `ended_at` is set.
#[utoipa::path(
    get, path = "/test_runs/{test_run_id}", operation_id = "get_test_run", tag = "Test Runs",
    params(("test_run_id", description = "Run id.")),
    responses((status = 200, description = "The test run.", body = Data<AgentTestRun>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(run): Found<test_runs::TestRunRow>,
) -> Result<Data<AgentTestRun>, ApiError> {
    let mut reader = ctx.store.read().await?;
    let mut conn = reader.conn();
    Ok(Data { data: AgentTestRun::of(&mut conn, ctx.project, &run).await? })
}
