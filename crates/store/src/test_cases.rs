//! Test cases of suites.

use crate::{Conn, Result, Tx, db::row::rows, db::sql::{run, statements}};
use domain::{Timestamp, ids::{ProjectId, TestCaseId, TestSuiteId}};

rows! {
    /// A stored case.
    #[derive(Debug, Clone)]
    pub struct TestCaseRow {
        /// Its id.
        pub id: TestCaseId,
        /// Its suite.
        pub suite_id: TestSuiteId,
        /// What people call it.
        pub name: String,
        /// Free text.
        pub description: Option<String>,
        /// What the simulated user wants and does.
        pub script: String,
        /// What is graded.
        pub rubric: String,
        /// When it was made.
        pub created_at: Timestamp,
        /// When it was changed.
        pub updated_at: Timestamp,
    }
}

statements! {
    INSERT = ["INSERT INTO test_cases (project_id, id, suite_id, name, description, script, rubric, created_at, updated_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"];
    UPDATE = ["UPDATE test_cases SET name = $3, description = $4, script = $5, rubric = $6, updated_at = $7 WHERE project_id = $1 AND id = $2"];
    LOCK = ["UPDATE test_cases SET updated_at = updated_at WHERE project_id = $1 AND id = $2 \
             RETURNING id, suite_id, name, description, script, rubric, created_at, updated_at"];
    DELETE = ["DELETE FROM test_cases WHERE project_id = $1 AND id = $2"];
    FIND = ["SELECT id, suite_id, name, description, script, rubric, created_at, updated_at FROM test_cases WHERE project_id = $1 AND id = $2"];
    LIST = ["SELECT id, suite_id, name, description, script, rubric, created_at, updated_at FROM test_cases \
             WHERE project_id = $1 AND suite_id = $2 ORDER BY created_at DESC, id DESC LIMIT $3 OFFSET $4"];
    COUNT = ["SELECT count(*) FROM test_cases WHERE project_id = $1 AND suite_id = $2"];
}

/// Stores a case.
pub async fn insert(tx: &mut Tx<'_>, project: ProjectId, c: &TestCaseRow) -> Result<()> {
    let (times, texts) = ([c.created_at.micros(), c.updated_at.micros()], (&c.name, c.description.as_deref(), &c.script, &c.rubric));
    run!(tx, INSERT, [project.uuid(), c.id.uuid(), c.suite_id.uuid(), texts.0, texts.1, texts.2, texts.3, times[0], times[1]], execute)
        .map(drop)
}

/// Replaces what a case says.
pub async fn update(tx: &mut Tx<'_>, project: ProjectId, c: &TestCaseRow) -> Result<()> {
    let texts = (&c.name, c.description.as_deref(), &c.script, &c.rubric);
    run!(tx, UPDATE, [project.uuid(), c.id.uuid(), texts.0, texts.1, texts.2, texts.3, c.updated_at.micros()], execute).map(drop)
}

/// The case of this id, for changing it: other changes wait until the transaction ends.
pub async fn lock(tx: &mut Tx<'_>, project: ProjectId, id: TestCaseId) -> Result<Option<TestCaseRow>> {
    run!(tx, LOCK, [project.uuid(), id.uuid()], fetch_optional as TestCaseRow)
}

/// Removes a case that has no runs any more.
pub async fn delete(tx: &mut Tx<'_>, project: ProjectId, id: TestCaseId) -> Result<()> {
    run!(tx, DELETE, [project.uuid(), id.uuid()], execute).map(drop)
}

/// The case of this id.
pub async fn find(conn: &mut Conn<'_>, project: ProjectId, id: TestCaseId) -> Result<Option<TestCaseRow>> {
    run!(conn, FIND, [project.uuid(), id.uuid()], fetch_optional as TestCaseRow)
}

/// A page of a suite's cases, newest first, and how many there are.
pub async fn list(
    conn: &mut Conn<'_>,
    project: ProjectId,
    suite: TestSuiteId,
    limit: i64,
    offset: i64,
) -> Result<(Vec<TestCaseRow>, i64)> {
    let rows = run!(conn, LIST, [project.uuid(), suite.uuid(), limit, offset], fetch_all as TestCaseRow)?;
    let (total,) = run!(conn, COUNT, [project.uuid(), suite.uuid()], fetch_one as (i64,))?;
    Ok((rows, total))
}
