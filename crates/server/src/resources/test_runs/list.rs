//! `GET /test_cases/{test_case_id}/test_runs`

use super::view::AgentTestRun;
use crate::{
    ApiError,
    api::{List, Page},
    auth::ProjectContext,
    found::Found,
};
use store::{test_cases, test_runs};

/// List the runs of a case, newest first
///
/// A run plays the case once. See `GET /test_runs/{test_run_id}` for its transcript and score.
#[utoipa::path(
    get, path = "/test_cases/{test_case_id}/test_runs", operation_id = "list_test_runs", tag = "Test Runs",
    params(("test_case_id", description = "Case id."), List),
    responses((status = 200, description = "One page of runs.", body = Page<AgentTestRun>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(case): Found<test_cases::TestCaseRow>,
    list: List,
) -> Result<Page<AgentTestRun>, ApiError> {
    let (limit, offset) = list.range();
    let mut reader = ctx.store.read().await?;
    let mut conn = reader.conn();
    let (rows, total) = test_runs::of_case(&mut conn, ctx.project, case.id, limit, offset).await?;
    let mut views = Vec::with_capacity(rows.len());
    for row in &rows {
        views.push(AgentTestRun::in_list(&mut conn, ctx.project, row).await?);
    }
    Ok(list.page(views, total))
}
