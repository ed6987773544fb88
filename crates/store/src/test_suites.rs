//! Test suites of agents.

use crate::{Conn, Result, Tx, db::row::rows, db::sql::{run, statements}};
use domain::{Timestamp, ids::{AgentId, ProjectId, TestSuiteId}};

rows! {
    /// A stored suite.
    #[derive(Debug, Clone)]
    pub struct TestSuiteRow {
        /// Its id.
        pub id: TestSuiteId,
        /// The agent that it tests.
        pub agent_id: AgentId,
        /// What people call it.
        pub name: String,
        /// Free text.
        pub description: Option<String>,
        /// When it was made.
        pub created_at: Timestamp,
        /// When it was changed.
        pub updated_at: Timestamp,
    }
}

statements! {
    INSERT = ["INSERT INTO test_suites (project_id, id, agent_id, name, description, created_at, updated_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7)"];
    UPDATE = ["UPDATE test_suites SET name = $3, description = $4, updated_at = $5 WHERE project_id = $1 AND id = $2"];
    LOCK = ["UPDATE test_suites SET updated_at = updated_at WHERE project_id = $1 AND id = $2 \
             RETURNING id, agent_id, name, description, created_at, updated_at"];
    DELETE = ["DELETE FROM test_suites WHERE project_id = $1 AND id = $2"];
    FIND = ["SELECT id, agent_id, name, description, created_at, updated_at FROM test_suites WHERE project_id = $1 AND id = $2"];
    LIST = ["SELECT id, agent_id, name, description, created_at, updated_at FROM test_suites \
             WHERE project_id = $1 AND agent_id = $2 ORDER BY created_at, id LIMIT $3 OFFSET $4"];
    COUNT = ["SELECT count(*) FROM test_suites WHERE project_id = $1 AND agent_id = $2"];
}

/// Stores a suite.
pub async fn insert(tx: &mut Tx<'_>, project: ProjectId, s: &TestSuiteRow) -> Result<()> {
    let times = [s.created_at.micros(), s.updated_at.micros()];
    run!(tx, INSERT, [project.uuid(), s.id.uuid(), s.agent_id.uuid(), &s.name, s.description.as_deref(), times[0], times[1]], execute).map(drop)
}

/// Replaces name and description.
pub async fn update(tx: &mut Tx<'_>, project: ProjectId, s: &TestSuiteRow) -> Result<()> {
    run!(tx, UPDATE, [project.uuid(), s.id.uuid(), &s.name, s.description.as_deref(), s.updated_at.micros()], execute).map(drop)
}

/// The suite of this id, for changing it or what is in it: others who do the same wait.
pub async fn lock(tx: &mut Tx<'_>, project: ProjectId, id: TestSuiteId) -> Result<Option<TestSuiteRow>> {
    run!(tx, LOCK, [project.uuid(), id.uuid()], fetch_optional as TestSuiteRow)
}

/// Removes a suite that has no cases any more.
pub async fn delete(tx: &mut Tx<'_>, project: ProjectId, id: TestSuiteId) -> Result<()> {
    run!(tx, DELETE, [project.uuid(), id.uuid()], execute).map(drop)
}

/// The suite of this id.
pub async fn find(conn: &mut Conn<'_>, project: ProjectId, id: TestSuiteId) -> Result<Option<TestSuiteRow>> {
    run!(conn, FIND, [project.uuid(), id.uuid()], fetch_optional as TestSuiteRow)
}

/// A page of an agent's suites and how many there are. Oldest first: clients take the first one for the default.
pub async fn list(
    conn: &mut Conn<'_>,
    project: ProjectId,
    agent: AgentId,
    limit: i64,
    offset: i64,
) -> Result<(Vec<TestSuiteRow>, i64)> {
    let rows = run!(conn, LIST, [project.uuid(), agent.uuid(), limit, offset], fetch_all as TestSuiteRow)?;
    let (total,) = run!(conn, COUNT, [project.uuid(), agent.uuid()], fetch_one as (i64,))?;
    Ok((rows, total))
}
