//! `PATCH /test_suites/{test_suite_id}`

use super::view::TestSuite;
use crate::{
    ApiError,
    api::{Data, RequestBody, body, three_state},
    auth::ProjectContext,
    change::{Changed, change},
    found::{Found, OrNotFound as _},
};
use axum::extract::Request;
use serde::Deserialize;
use store::test_suites;
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
pub(super) struct TestSuiteUpdate {
    test_suite: TestSuiteChange,
}

impl RequestBody for TestSuiteUpdate {
    const WRAPPER: &'static [&'static str] = &["test_suite"];
}

/// Omitted fields stay unchanged.
#[derive(Deserialize, ToSchema)]
struct TestSuiteChange {
    #[schema(min_length = 1, max_length = 120, pattern = r"\S", nullable = false)]
    name: Option<String>,
    #[serde(default, deserialize_with = "three_state::read")]
    #[schema(value_type = Option<String>, max_length = 2000)]
    description: Option<Option<String>>,
}

/// Update a suite's name or description
///
/// Omitted fields stay unchanged.
#[utoipa::path(
    patch, path = "/test_suites/{test_suite_id}", operation_id = "update_test_suite", tag = "Test Suites",
    params(("test_suite_id", description = "Suite id.")), request_body = TestSuiteUpdate,
    responses((status = 200, description = "The suite.", body = Data<TestSuite>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(suite): Found<test_suites::TestSuiteRow>,
    request: Request,
) -> Result<Changed<Data<TestSuite>>, ApiError> {
    let project = ctx.project;
    let sent = body::read::<TestSuiteUpdate>(request).await?.test_suite;
    change!(ctx, "test_suite.update", tx => {
        let mut row = test_suites::lock(tx, project, suite.id).await?.found()?;
        row.name = sent.name.clone().unwrap_or(row.name);
        row.description = sent.description.clone().unwrap_or(row.description);
        row.updated_at = ctx.now();
        test_suites::update(tx, project, &row).await?;
        Ok(Data { data: TestSuite::of(tx, project, &row).await? })
    })
}
