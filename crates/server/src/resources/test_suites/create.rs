//! `POST /test_suites`

use super::view::{MOST_CASES, TestSuite};
use crate::{
    ApiError,
    api::{Created, Data, RequestBody, body},
    auth::ProjectContext,
    change::{Changed, change},
    resources::test_cases::NewTestCase,
};
use axum::extract::Request;
use domain::{Id, ids::AgentId};
use serde::Deserialize;
use store::{
    agents, test_cases,
    test_suites::{self, TestSuiteRow},
};
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Deserialize, ToSchema)]
pub(super) struct TestSuiteCreate {
    test_suite: NewTestSuite,
}

impl RequestBody for TestSuiteCreate {
    const WRAPPER: &'static [&'static str] = &["test_suite"];
}

#[derive(Deserialize, ToSchema)]
struct NewTestSuite {
    #[schema(min_length = 1, max_length = 120, pattern = r"\S")]
    name: String,
    #[schema(max_length = 2000)]
    description: Option<String>,
    /// Agent under test.
    agent_id: Uuid,
    /// Cases in order; more can be added later.
    #[serde(default)]
    #[schema(max_items = 500)]
    test_cases: Option<Vec<NewTestCase>>,
}

const _: () = assert!(MOST_CASES == 500, "as the schema of test_cases says");

/// Create a suite
///
/// A suite is a list of test cases of one agent that are run together.
#[utoipa::path(
    post, path = "/test_suites", operation_id = "create_test_suite", tag = "Test Suites", request_body = TestSuiteCreate,
    responses(
        (status = 201, description = "The suite, with the cases that were sent.", body = Data<TestSuite>),
        (status = 404, description = "`not_found`: no such agent in this project"),
    )
)]
pub(super) async fn handle(ctx: ProjectContext, request: Request) -> Result<Changed<Created<TestSuite>>, ApiError> {
    let new = body::read::<TestSuiteCreate>(request).await?.test_suite;
    let agent_id = AgentId::from_uuid(new.agent_id);
    let project = ctx.project;
    change!(ctx, "test_suite.create", tx => {
        agents::summary(tx, project, agent_id).await?.ok_or(ApiError::NotFound("Agent"))?;
        let (id, now) = (ctx.new_id(), ctx.now());
        let (name, description) = (new.name.clone(), new.description.clone());
        let row = TestSuiteRow { id, agent_id, name, description, created_at: now, updated_at: now };
        test_suites::insert(tx, project, &row).await?;
        let cases = new.test_cases.as_deref().unwrap_or_default();
        // Equal creation times are sorted by id.
        let mut ids: Vec<Uuid> = cases.iter().map(|_| ctx.new_uuid()).collect();
        ids.sort_unstable();
        for (case, case_id) in cases.iter().zip(ids) {
            test_cases::insert(tx, project, &case.row(Id::from_uuid(case_id), id, now)).await?;
        }
        Ok(Created(TestSuite::of(tx, project, &row).await?))
    })
}
