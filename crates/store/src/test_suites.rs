//! Test suites of agents.

use crate::db::{Conn, Result, Tx, rows, run, statements};
use domain::{Timestamp, ids::{AgentId, ProjectId, TestSuiteId}};

rows! {
    #[derive(Debug, Clone)]
    pub struct TestSuiteRow {
        pub id: TestSuiteId,
        pub agent_id: AgentId,
        pub name: String,
        pub description: Option<String>,
        pub created_at: Timestamp,
        pub updated_at: Timestamp,
    }
}

statements! {
    INSERT = ["INSERT INTO test_suites (project_id, id, agent_id, name, description, created_at, updated_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7)"];
    UPDATE = ["UPDATE test_suites SET name = $3, description = $4, updated_at = $5 WHERE project_id = $1 AND id = $2"];
    LOCK = ["UPDATE test_suites SET updated_at = updated_at WHERE project_id = $1 AND id = $2 \
             RETURNING ", TestSuiteRow];
    DELETE = ["DELETE FROM test_suites WHERE project_id = $1 AND id = $2"];
    FIND = ["SELECT ", TestSuiteRow, " FROM test_suites WHERE project_id = $1 AND id = $2 \
             AND EXISTS (SELECT 1 FROM agents a WHERE a.project_id = $1 AND a.id = test_suites.agent_id AND a.deleted_at IS NULL)"];
    LIST = ["SELECT ", TestSuiteRow, " FROM test_suites \
             WHERE project_id = $1 AND agent_id = $2 ORDER BY created_at, id LIMIT $3 OFFSET $4"];
    COUNT = ["SELECT count(*) FROM test_suites WHERE project_id = $1 AND agent_id = $2"];
}

pub async fn insert(tx: &mut Tx<'_>, project: ProjectId, s: &TestSuiteRow) -> Result<()> {
    run!(tx, INSERT, [project, s.id, s.agent_id, s.name, s.description, s.created_at, s.updated_at], execute).map(drop)
}

pub async fn update(tx: &mut Tx<'_>, project: ProjectId, s: &TestSuiteRow) -> Result<()> {
    run!(tx, UPDATE, [project, s.id, s.name, s.description, s.updated_at], execute).map(drop)
}

/// Reads and locks a suite until the transaction ends, for changes of the suite or its cases.
pub async fn lock(tx: &mut Tx<'_>, project: ProjectId, id: TestSuiteId) -> Result<Option<TestSuiteRow>> {
    run!(tx, LOCK, [project, id], fetch_optional as TestSuiteRow)
}

/// The suite must have no cases.
pub async fn delete(tx: &mut Tx<'_>, project: ProjectId, id: TestSuiteId) -> Result<()> {
    run!(tx, DELETE, [project, id], execute).map(drop)
}

pub async fn find(conn: &mut Conn<'_>, project: ProjectId, id: TestSuiteId) -> Result<Option<TestSuiteRow>> {
    run!(conn, FIND, [project, id], fetch_optional as TestSuiteRow)
}

/// A page of an agent's suites and their number. Oldest first: clients take the first one as the
/// default.
pub async fn list(
    conn: &mut Conn<'_>,
    project: ProjectId,
    agent: AgentId,
    limit: i64,
    offset: i64,
) -> Result<(Vec<TestSuiteRow>, i64)> {
    let rows = run!(conn, LIST, [project, agent, limit, offset], fetch_all as TestSuiteRow)?;
    let (total,) = run!(conn, COUNT, [project, agent], fetch_one as (i64,))?;
    Ok((rows, total))
}
