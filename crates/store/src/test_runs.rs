//! Runs of test cases, with state and steps.

use crate::{counters, db::{Conn, Counter, Result, Tx, rows, run, statements, stored_words}};
use domain::{Timestamp, job::TestRunStatus, ids::{AgentId, ConversationId, ExecutionId, ProjectId, SnapshotId, TestCaseId, TestRunId, TestSuiteId}};
use uuid::Uuid;

stored_words!(TestRunStatus);

rows! {
    #[derive(Debug, Clone)]
    pub struct TestRunRow {
        pub id: TestRunId,
        pub suite_id: TestSuiteId,
        pub case_id: TestCaseId,
        pub agent_id: AgentId,
        pub snapshot_id: SnapshotId,
        /// The agent's execution, which may not exist yet.
        pub execution_id: ExecutionId,
        /// None until the run has begun.
        pub conversation_id: Option<ConversationId>,
        pub status: TestRunStatus,
        /// The run's state, JSON.
        pub state: String,
        pub step_no: i64,
        pub started_at: Option<Timestamp>,
        pub ended_at: Option<Timestamp>,
        pub created_at: Timestamp,
        pub updated_at: Timestamp,
    }
}

rows! {
    #[derive(Debug, Clone)]
    pub struct TestRunStepRow {
        /// From 1, without gaps.
        pub step_no: i64,
        /// JSON of the run's input.
        pub input: String,
        /// JSON of the effects.
        pub effects: String,
        pub at: Timestamp,
    }
}

statements! {
    INSERT = ["INSERT INTO test_runs (project_id, id, suite_id, case_id, agent_id, snapshot_id, execution_id, status, state, step_no, \
               created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, 'queued', $8, 0, $9, $9)"];
    SAVE = ["UPDATE test_runs SET conversation_id = $3, status = $4, state = $5, step_no = $6, started_at = $7, ended_at = $8, updated_at = $9 \
             WHERE project_id = $1 AND id = $2"];
    START = ["UPDATE test_runs SET status = 'running', started_at = $3, updated_at = $3 WHERE project_id = $1 AND id = $2 AND status = 'queued'"];
    FIND = ["SELECT ", TestRunRow, " FROM test_runs WHERE project_id = $1 AND id = $2 \
             AND EXISTS (SELECT 1 FROM agents a WHERE a.project_id = $1 AND a.id = test_runs.agent_id AND a.deleted_at IS NULL)"];
    LOCK = ["UPDATE test_runs SET updated_at = updated_at WHERE project_id = $1 AND id = $2 \
             RETURNING ", TestRunRow];
    OF_CASE = ["SELECT ", TestRunRow, " FROM test_runs WHERE project_id = $1 AND case_id = $2 ORDER BY created_at DESC, id DESC LIMIT $3 OFFSET $4"];
    OF_SUITE = ["SELECT ", TestRunRow, " FROM test_runs WHERE project_id = $1 AND suite_id = $2 ORDER BY created_at DESC, id DESC LIMIT $3 OFFSET $4"];
    COUNT_IN = ["SELECT count(*) FROM test_runs WHERE project_id = $1 AND suite_id = $2 AND status = $3"];
    QUEUED = ["SELECT ", TestRunRow, " FROM test_runs WHERE project_id = $1 AND suite_id = $2 AND status = 'queued' ORDER BY created_at, id LIMIT $3"];
    DELETE_STEPS = ["DELETE FROM test_run_steps WHERE project_id = $1 AND run_id IN (SELECT id FROM test_runs WHERE project_id = $1 AND case_id = $2)"];
    DELETE_OF_CASE = ["DELETE FROM test_runs WHERE project_id = $1 AND case_id = $2 RETURNING id, suite_id"];
    APPEND = ["INSERT INTO test_run_steps (project_id, run_id, step_no, input, effects, at) VALUES ($1, $2, $3, $4, $5, $6)"];
    STEPS = ["SELECT ", TestRunStepRow, " FROM test_run_steps WHERE project_id = $1 AND run_id = $2 ORDER BY step_no LIMIT 1000"];
}

#[derive(Debug, Clone)]
pub struct NewTestRun<'a> {
    pub id: TestRunId,
    pub suite: TestSuiteId,
    pub case: TestCaseId,
    pub agent: AgentId,
    pub snapshot: SnapshotId,
    /// Id for the agent's execution.
    pub execution: ExecutionId,
    /// The run's state, JSON.
    pub state: &'a str,
    pub now: Timestamp,
}

/// A run after a step.
#[derive(Debug, Clone)]
pub struct Saved<'a> {
    pub conversation: Option<ConversationId>,
    pub status: TestRunStatus,
    /// The run's state, JSON.
    pub state: &'a str,
    pub step_no: i64,
    pub started_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub now: Timestamp,
}

pub async fn insert(tx: &mut Tx<'_>, project: ProjectId, r: &NewTestRun<'_>) -> Result<()> {
    run!(tx, INSERT, [project, r.id, r.suite, r.case, r.agent, r.snapshot, r.execution, r.state, r.now], execute)?;
    counters::add(tx, project, Counter::TestRunsOfCase(r.case.uuid()), r.id.uuid(), 1);
    counters::add(tx, project, Counter::TestRunsOfSuite(r.suite.uuid()), r.id.uuid(), 1);
    Ok(())
}

/// The caller must hold the epoch of the run's job.
pub async fn save(tx: &mut Tx<'_>, project: ProjectId, id: TestRunId, s: &Saved<'_>) -> Result<()> {
    run!(tx, SAVE, [project, id, s.conversation, s.status, s.state, s.step_no, s.started_at, s.ended_at, s.now], execute)
        .map(drop)
}

/// `false` if the run is not queued any more.
pub async fn start(tx: &mut Tx<'_>, project: ProjectId, id: TestRunId, now: Timestamp) -> Result<bool> {
    Ok(run!(tx, START, [project, id, now], execute)? == 1)
}

pub async fn find(conn: &mut Conn<'_>, project: ProjectId, id: TestRunId) -> Result<Option<TestRunRow>> {
    run!(conn, FIND, [project, id], fetch_optional as TestRunRow)
}

/// Reads and locks a run until the transaction ends.
pub async fn lock(tx: &mut Tx<'_>, project: ProjectId, id: TestRunId) -> Result<Option<TestRunRow>> {
    run!(tx, LOCK, [project, id], fetch_optional as TestRunRow)
}

/// A page of a case's runs, newest first, and their number.
pub async fn of_case(
    conn: &mut Conn<'_>,
    project: ProjectId,
    case: TestCaseId,
    limit: i64,
    offset: i64,
) -> Result<(Vec<TestRunRow>, i64)> {
    let total = counters::length(conn, project, Counter::TestRunsOfCase(case.uuid())).await?;
    if offset >= total {
        return Ok((Vec::new(), total));
    }
    let rows = run!(conn, OF_CASE, [project, case, limit, offset], fetch_all as TestRunRow)?;
    Ok((rows, total))
}

/// A page of a suite's runs, newest first, and their number.
pub async fn of_suite(
    conn: &mut Conn<'_>,
    project: ProjectId,
    suite: TestSuiteId,
    limit: i64,
    offset: i64,
) -> Result<(Vec<TestRunRow>, i64)> {
    let total = counters::length(conn, project, Counter::TestRunsOfSuite(suite.uuid())).await?;
    if offset >= total {
        return Ok((Vec::new(), total));
    }
    let rows = run!(conn, OF_SUITE, [project, suite, limit, offset], fetch_all as TestRunRow)?;
    Ok((rows, total))
}

/// Number of a suite's runs with this status.
pub async fn count_in(conn: &mut Conn<'_>, project: ProjectId, suite: TestSuiteId, status: TestRunStatus) -> Result<i64> {
    Ok(run!(conn, COUNT_IN, [project, suite, status], fetch_one as (i64,))?.0)
}

/// The suite's queued runs, oldest first.
pub async fn queued(conn: &mut Conn<'_>, project: ProjectId, suite: TestSuiteId, limit: i64) -> Result<Vec<TestRunRow>> {
    run!(conn, QUEUED, [project, suite, limit], fetch_all as TestRunRow)
}

/// Removes the runs of a case, with their steps.
pub async fn delete_of_case(tx: &mut Tx<'_>, project: ProjectId, case: TestCaseId) -> Result<()> {
    run!(tx, DELETE_STEPS, [project, case], execute)?;
    for (id, suite) in run!(tx, DELETE_OF_CASE, [project, case], fetch_all as (Uuid, Uuid))? {
        counters::add(tx, project, Counter::TestRunsOfCase(case.uuid()), id, -1);
        counters::add(tx, project, Counter::TestRunsOfSuite(suite), id, -1);
    }
    Ok(())
}

/// [`crate::Error::Conflict`] if the step exists.
pub async fn append(tx: &mut Tx<'_>, project: ProjectId, id: TestRunId, s: &TestRunStepRow) -> Result<()> {
    run!(tx, APPEND, [project, id, s.step_no, s.input, s.effects, s.at], execute).map(drop)
}

pub async fn steps(conn: &mut Conn<'_>, project: ProjectId, id: TestRunId) -> Result<Vec<TestRunStepRow>> {
    run!(conn, STEPS, [project, id], fetch_all as TestRunStepRow)
}
