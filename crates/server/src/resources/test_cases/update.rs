//! `PATCH /test_cases/{test_case_id}`

use super::view::TestCase;
use crate::{
    ApiError,
    api::{Changed, Data, RequestBody, body, change::change, three_state},
    auth::{ProjectContext, path_id},
};
use axum::extract::{Path, Request};
use domain::ids::TestCaseId;
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

/// What is left out stays as it is.
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

/// Change a case
///
/// What is left out stays as it is. Runs that have been made keep the script and the rubric they were made with.
#[utoipa::path(
    patch, path = "/test_cases/{test_case_id}", operation_id = "update_test_case", tag = "Test Suites",
    params(("test_case_id", description = "Case id.")), request_body = TestCaseUpdate,
    responses((status = 200, description = "The case.", body = Data<TestCase>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Path(id): Path<String>,
    request: Request,
) -> Result<Changed<Data<TestCase>>, ApiError> {
    let gone = || ApiError::NotFound("Test case");
    let id: TestCaseId = path_id(&id, "Test case")?;
    let project = ctx.project;
    {
        let mut reader = ctx.store.read().await?;
        test_cases::find(&mut reader.conn(), project, id).await?.ok_or_else(gone)?;
    }
    let sent = body::read::<TestCaseUpdate>(request).await?.test_case;
    change!(ctx, "test_case.update", tx => {
        let mut row = test_cases::lock(tx, project, id).await?.ok_or_else(gone)?;
        row.name = sent.name.clone().unwrap_or(row.name);
        row.description = sent.description.clone().unwrap_or(row.description);
        row.script = sent.script.clone().unwrap_or(row.script);
        row.rubric = sent.rubric.clone().unwrap_or(row.rubric);
        row.updated_at = ctx.now();
        test_cases::update(tx, project, &row).await?;
        Ok(Data { data: TestCase::of(&row) })
    })
}
