//! `POST /test_suites`

use super::view::TestSuite;
use crate::{
    ApiError,
    api::{Changed, Created, Data, RequestBody, body, change::change},
    auth::ProjectContext,
};
use axum::extract::Request;
use domain::ids::AgentId;
use serde::Deserialize;
use store::{
    agents,
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
    /// The agent that it tests.
    agent_id: Uuid,
}

/// Make a suite
#[utoipa::path(
    post, path = "/test_suites", operation_id = "create_test_suite", tag = "Test Suites", request_body = TestSuiteCreate,
    responses(
        (status = 201, description = "The suite, without cases.", body = Data<TestSuite>),
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
        Ok(Created(TestSuite::of(tx, project, &row).await?))
    })
}
