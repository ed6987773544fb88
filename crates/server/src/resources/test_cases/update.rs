//! `PATCH /test_cases/{test_case_id}`

use super::view::TestCase;
use crate::{
    ApiError,
    api::{Data, RequestBody, body, three_state},
    auth::ProjectContext,
    change::{Changed, change},
    found::{Found, OrNotFound as _},
};
use axum::extract::Request;
use serde::Deserialize;
use store::test_cases;
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
pub(super) struct TestCaseUpdate {
    test_case: TestCaseChange,
}

impl RequestBody for TestCaseUpdate {
    const WRAPPER: &'static [&'static str] = &["test_case"];
}

/// Omitted fields stay unchanged.
#[derive(Deserialize, ToSchema)]
struct TestCaseChange {
    #[schema(min_length = 1, max_length = 120, pattern = r"\S", nullable = false)]
    name: Option<String>,
    #[serde(default, deserialize_with = "three_state::read")]
    #[schema(value_type = Option<String>, max_length = 2000)]
    description: Option<Option<String>>,
    #[schema(min_length = 1, max_length = 16384, pattern = r"\S", nullable = false)]
    script: Option<String>,
    #[schema(min_length = 1, max_length = 16384, pattern = r"\S", nullable = false)]
    rubric: Option<String>,
}

/// Update a case
///
/// Omitted fields stay unchanged. Existing runs keep their script and rubric.
#[utoipa::path(
    patch, path = "/test_cases/{test_case_id}", operation_id = "update_test_case", tag = "Test Suites",
    params(("test_case_id", description = "Case id.")), request_body = TestCaseUpdate,
    responses((status = 200, description = "The case.", body = Data<TestCase>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(case): Found<test_cases::TestCaseRow>,
    request: Request,
) -> Result<Changed<Data<TestCase>>, ApiError> {
    let project = ctx.project;
    let sent = body::read::<TestCaseUpdate>(request).await?.test_case;
    change!(ctx, "test_case.update", tx => {
        let mut row = test_cases::lock(tx, project, case.id).await?.found()?;
        row.name = sent.name.clone().unwrap_or(row.name);
        row.description = sent.description.clone().unwrap_or(row.description);
        row.script = sent.script.clone().unwrap_or(row.script);
        row.rubric = sent.rubric.clone().unwrap_or(row.rubric);
        row.updated_at = ctx.now();
        test_cases::update(tx, project, &row).await?;
        Ok(Data { data: TestCase::of(&row) })
    })
}
