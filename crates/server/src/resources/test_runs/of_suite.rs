//! `POST` and `GET /test_suites/{test_suite_id}/test_runs`

use super::{create::queue, view::AgentTestRun};
use crate::{
    ApiError,
    api::{Created, Data, List, Page},
    auth::ProjectContext,
    change::{Changed, change},
    found::{Found, OrNotFound as _},
    resources::test_suites::MOST_CASES,
};
use runtime::trials;
use store::{test_cases, test_runs, test_suites};

/// Run all cases of a suite
///
/// At most four run at a time.
#[utoipa::path(
    post, path = "/test_suites/{test_suite_id}/test_runs", operation_id = "run_test_suite", tag = "Test Runs",
    params(("test_suite_id", description = "Suite id.")),
    responses((status = 201, description = "One run per case, oldest case first.", body = Data<Vec<AgentTestRun>>))
)]
pub(super) async fn create(
    ctx: ProjectContext,
    Found(suite): Found<test_suites::TestSuiteRow>,
) -> Result<Changed<Created<Vec<AgentTestRun>>>, ApiError> {
    let project = ctx.project;
    let answer = change!(ctx, "test_suite.run", tx => {
        test_suites::lock(tx, project, suite.id).await?.found()?;
        let (cases, _) = test_cases::list(tx, project, suite.id, MOST_CASES, 0).await?;
        let mut runs = Vec::with_capacity(cases.len());
        for case in cases.iter().rev() {
            runs.push(queue(&ctx, tx, project, case).await?.0);
        }
        trials::start_queued(&ctx, tx, project, suite.id).await?;
        let mut views = Vec::with_capacity(runs.len());
        for run in runs {
            let row = test_runs::find(tx, project, run).await?.found()?;
            views.push(AgentTestRun::in_list(tx, project, &row).await?);
        }
        Ok(Created(views))
    })?;
    ctx.wake.notify_one();
    Ok(answer)
}

/// List the runs of a suite's cases, newest first
///
/// Runs of all cases of the suite.
#[utoipa::path(
    get, path = "/test_suites/{test_suite_id}/test_runs", operation_id = "list_test_suite_runs", tag = "Test Runs",
    params(("test_suite_id", description = "Suite id."), List),
    responses((status = 200, description = "One page of runs.", body = Page<AgentTestRun>))
)]
pub(super) async fn list(
    ctx: ProjectContext,
    Found(suite): Found<test_suites::TestSuiteRow>,
    list: List,
) -> Result<Page<AgentTestRun>, ApiError> {
    let (limit, offset) = list.range();
    let mut reader = ctx.store.read().await?;
    let mut conn = reader.conn();
    let (rows, total) = test_runs::of_suite(&mut conn, ctx.project, suite.id, limit, offset).await?;
    let mut views = Vec::with_capacity(rows.len());
    for row in &rows {
        views.push(AgentTestRun::in_list(&mut conn, ctx.project, row).await?);
    }
    Ok(list.page(views, total))
}
