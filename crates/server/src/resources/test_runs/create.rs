//! `POST /test_cases/{test_case_id}/test_runs`

use super::view::AgentTestRun;
use crate::{
    ApiError, AppState,
    api::{Created, Data, RequestBody, body},
    auth::ProjectContext,
    change::{Changed, change},
    found::{Found, OrNotFound as _},
};
use axum::extract::Request;
use domain::{
    ids::{ProjectId, TestRunId},
    job::TestRunStatus,
};
use engine::trial::Trial;
use runtime::{json::to_json, trials};
use serde::Deserialize;
use serde_json::{Map, Value};
use store::{
    Tx, agents,
    test_cases::{self, TestCaseRow},
    test_runs::{self, NewTestRun},
    test_suites,
};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
pub(super) struct TestRunCreate {
    /// Accepts an empty object.
    #[serde(rename = "agent_test_run")]
    _agent_test_run: Map<String, Value>,
    /// True starts at once, in addition to other runs of the suite; otherwise at most four run at a
    /// time.
    #[schema(default = false, nullable = false)]
    run_now: Option<bool>,
}

impl RequestBody for TestRunCreate {
    const WRAPPER: &'static [&'static str] = &["agent_test_run"];
    const MAY_BE_EMPTY: bool = true;
}

/// Start a test run of a case
///
/// Tests the agent's current state in the background, at most four runs of a suite at a time.
#[utoipa::path(
    post, path = "/test_cases/{test_case_id}/test_runs", operation_id = "create_test_run", tag = "Test Runs",
    params(("test_case_id", description = "Case id.")), request_body = TestRunCreate,
    responses((status = 201, description = "The test run.", body = Data<AgentTestRun>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(case): Found<test_cases::TestCaseRow>,
    request: Request,
) -> Result<Changed<Created<AgentTestRun>>, ApiError> {
    let project = ctx.project;
    let run_now = body::read::<TestRunCreate>(request).await?.run_now.unwrap_or(false);
    let answer = change!(ctx, "test_run.create", tx => {
        let case = test_cases::lock(tx, project, case.id).await?.found()?;
        let (run, key) = queue(&ctx, tx, project, &case).await?;
        if run_now {
            trials::start(&ctx, tx, project, run, &key).await?;
        }
        trials::start_queued(&ctx, tx, project, case.suite_id).await?;
        let row = test_runs::find(tx, project, run).await?.ok_or(ApiError::NotFound("Test run"))?;
        Ok(Created(AgentTestRun::of(tx, project, &row).await?))
    })?;
    ctx.wake.notify_one();
    Ok(answer)
}

/// Stores a queued run of a case for the agent's current state; returns its id and its job's key.
pub(super) async fn queue(
    ctx: &AppState,
    tx: &mut Tx<'_>,
    project: ProjectId,
    case: &TestCaseRow,
) -> Result<(TestRunId, String), ApiError> {
    let suite = test_suites::find(tx, project, case.suite_id).await?.ok_or(ApiError::NotFound("Test suite"))?;
    let snapshot = agents::current_snapshot(tx, project, suite.agent_id).await?.ok_or(ApiError::NotFound("Agent"))?;
    let (id, execution) = (ctx.new_id(), ctx.new_id());
    let state = to_json("test run", &Trial::new(case.script.clone(), case.rubric.clone()))?;
    let new = NewTestRun {
        id,
        suite: suite.id,
        case: case.id,
        agent: suite.agent_id,
        snapshot,
        execution,
        state: &state,
        now: ctx.now(),
    };
    test_runs::insert(tx, project, &new).await?;
    trials::append_event(ctx, tx, project, id, TestRunStatus::Queued).await?;
    Ok((id, execution.to_string()))
}
