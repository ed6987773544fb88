//! API representation of a test case.

use crate::api::Time;
use serde::Serialize;
use store::test_cases::TestCaseRow;
use utoipa::ToSchema;
use uuid::Uuid;

/// Script of a simulated user and rubric for the agent.
#[derive(Serialize, ToSchema)]
pub(crate) struct TestCase {
    id: Uuid,
    name: String,
    description: Option<String>,
    /// Goals and behaviour of the simulated user.
    script: String,
    /// Grading rubric.
    rubric: String,
    test_suite_id: Uuid,
    created_at: Time,
    updated_at: Time,
}

impl TestCase {
    pub(crate) fn of(row: &TestCaseRow) -> Self {
        Self {
            id: row.id.uuid(),
            name: row.name.clone(),
            description: row.description.clone(),
            script: row.script.clone(),
            rubric: row.rubric.clone(),
            test_suite_id: row.suite_id.uuid(),
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
        }
    }
}
