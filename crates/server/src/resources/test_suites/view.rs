//! API representation of a test suite.

use crate::{ApiError, api::Time, resources::test_cases::TestCase};
use domain::ids::ProjectId;
use serde::Serialize;
use store::{Conn, test_cases, test_suites::TestSuiteRow};
use utoipa::ToSchema;
use uuid::Uuid;

/// Maximum number of cases in a suite.
pub(crate) const MOST_CASES: i64 = 500;

/// Test cases of an agent.
#[derive(Serialize, ToSchema)]
pub(crate) struct TestSuite {
    id: Uuid,
    name: String,
    description: Option<String>,
    agent_id: Uuid,
    created_at: Time,
    updated_at: Time,
    /// Oldest first.
    test_cases: Vec<TestCase>,
}

impl TestSuite {
    pub(super) async fn of(conn: &mut Conn<'_>, project: ProjectId, row: &TestSuiteRow) -> Result<Self, ApiError> {
        let (cases, _) = test_cases::list(conn, project, row.id, MOST_CASES, 0).await?;
        Ok(Self {
            id: row.id.uuid(),
            name: row.name.clone(),
            description: row.description.clone(),
            agent_id: row.agent_id.uuid(),
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
            test_cases: cases.iter().rev().map(TestCase::of).collect(),
        })
    }
}
