//! `POST /test_suites/{test_suite_id}/test_cases`

use super::view::TestCase;
use crate::{
    ApiError,
    api::{Created, Data, RequestBody, body},
    auth::ProjectContext,
    change::{Changed, change},
    found::{Found, OrNotFound as _},
    resources::test_suites::MOST_CASES,
};
use axum::extract::Request;
use domain::{
    Timestamp,
    ids::{TestCaseId, TestSuiteId},
};
use serde::Deserialize;
use store::{
    test_cases::{self, TestCaseRow},
    test_suites,
};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
pub(super) struct TestCaseCreate {
    test_case: NewTestCase,
}

impl RequestBody for TestCaseCreate {
    const WRAPPER: &'static [&'static str] = &["test_case"];
}

/// A case in a request, alone or with its suite.
#[derive(Deserialize, ToSchema)]
pub(crate) struct NewTestCase {
    #[schema(min_length = 1, max_length = 120, pattern = r"\S")]
    name: String,
    #[schema(max_length = 2000)]
    description: Option<String>,
    #[schema(min_length = 1, max_length = 16384, pattern = r"\S")]
    script: String,
    #[schema(min_length = 1, max_length = 16384, pattern = r"\S")]
    rubric: String,
}

impl NewTestCase {
    pub(crate) fn row(&self, id: TestCaseId, suite_id: TestSuiteId, now: Timestamp) -> TestCaseRow {
        TestCaseRow {
            id,
            suite_id,
            name: self.name.clone(),
            description: self.description.clone(),
            script: self.script.clone(),
            rubric: self.rubric.clone(),
            created_at: now,
            updated_at: now,
        }
    }
}

/// Add a case
///
/// A suite has at most 500 cases.
#[utoipa::path(
    post, path = "/test_suites/{test_suite_id}/test_cases", operation_id = "create_test_case", tag = "Test Suites",
    params(("test_suite_id", description = "Suite id.")), request_body = TestCaseCreate,
    responses(
        (status = 201, description = "The case.", body = Data<TestCase>),
        (status = 422, description = "`too_many_cases`: a suite has at most 500"),
    )
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(suite): Found<test_suites::TestSuiteRow>,
    request: Request,
) -> Result<Changed<Created<TestCase>>, ApiError> {
    let project = ctx.project;
    let new = body::read::<TestCaseCreate>(request).await?.test_case;
    change!(ctx, "test_case.create", tx => {
        test_suites::lock(tx, project, suite.id).await?.found()?;
        let (_, total) = test_cases::list(tx, project, suite.id, 1, 0).await?;
        if total >= MOST_CASES {
            let why = format!("a suite has at most {MOST_CASES} cases");
            return Err(ApiError::state("too_many_cases", "Too many test cases", why));
        }
        let row = new.row(ctx.new_id(), suite.id, ctx.now());
        test_cases::insert(tx, project, &row).await?;
        Ok(Created(TestCase::of(&row)))
    })
}
