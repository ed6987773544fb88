//! Test cases of suites.

use crate::db::{Conn, Result, Tx, rows, run, statements};
use domain::{Timestamp, ids::{ProjectId, TestCaseId, TestSuiteId}};

rows! {
    #[derive(Debug, Clone)]
    pub struct TestCaseRow {
        pub id: TestCaseId,
        pub suite_id: TestSuiteId,
        pub name: String,
        pub description: Option<String>,
        /// Instructions for the simulated user.
        pub script: String,
        pub rubric: String,
        pub created_at: Timestamp,
        pub updated_at: Timestamp,
    }
}

statements! {
    INSERT = ["INSERT INTO test_cases (project_id, id, suite_id, name, description, script, rubric, created_at, updated_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"];
    UPDATE = ["UPDATE test_cases SET name = $3, description = $4, script = $5, rubric = $6, updated_at = $7 WHERE project_id = $1 AND id = $2"];
    LOCK = ["UPDATE test_cases SET updated_at = updated_at WHERE project_id = $1 AND id = $2 \
             RETURNING ", TestCaseRow];
    DELETE = ["DELETE FROM test_cases WHERE project_id = $1 AND id = $2"];
    FIND = ["SELECT ", TestCaseRow, " FROM test_cases WHERE project_id = $1 AND id = $2 \
             AND EXISTS (SELECT 1 FROM test_suites s JOIN agents a ON a.project_id = s.project_id AND a.id = s.agent_id \
             WHERE s.project_id = $1 AND s.id = test_cases.suite_id AND a.deleted_at IS NULL)"];
    LIST = ["SELECT ", TestCaseRow, " FROM test_cases \
             WHERE project_id = $1 AND suite_id = $2 ORDER BY created_at DESC, id DESC LIMIT $3 OFFSET $4"];
    COUNT = ["SELECT count(*) FROM test_cases WHERE project_id = $1 AND suite_id = $2"];
}

pub async fn insert(tx: &mut Tx<'_>, project: ProjectId, c: &TestCaseRow) -> Result<()> {
    run!(tx, INSERT, [project, c.id, c.suite_id, c.name, c.description, c.script, c.rubric, c.created_at, c.updated_at],
        execute).map(drop)
}

pub async fn update(tx: &mut Tx<'_>, project: ProjectId, c: &TestCaseRow) -> Result<()> {
    run!(tx, UPDATE, [project, c.id, c.name, c.description, c.script, c.rubric, c.updated_at], execute).map(drop)
}

/// Reads and locks a test case until the transaction ends.
pub async fn lock(tx: &mut Tx<'_>, project: ProjectId, id: TestCaseId) -> Result<Option<TestCaseRow>> {
    run!(tx, LOCK, [project, id], fetch_optional as TestCaseRow)
}

/// The case must have no runs.
pub async fn delete(tx: &mut Tx<'_>, project: ProjectId, id: TestCaseId) -> Result<()> {
    run!(tx, DELETE, [project, id], execute).map(drop)
}

pub async fn find(conn: &mut Conn<'_>, project: ProjectId, id: TestCaseId) -> Result<Option<TestCaseRow>> {
    run!(conn, FIND, [project, id], fetch_optional as TestCaseRow)
}

/// A page of a suite's cases, newest first, and their number.
pub async fn list(
    conn: &mut Conn<'_>,
    project: ProjectId,
    suite: TestSuiteId,
    limit: i64,
    offset: i64,
) -> Result<(Vec<TestCaseRow>, i64)> {
    let rows = run!(conn, LIST, [project, suite, limit, offset], fetch_all as TestCaseRow)?;
    let (total,) = run!(conn, COUNT, [project, suite], fetch_one as (i64,))?;
    Ok((rows, total))
}
