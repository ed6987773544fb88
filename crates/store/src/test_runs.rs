//! Runs of test cases, with the state of each and what it was fed.

use crate::{counters, db::{Conn, Counter, Result, Tx, rows, run, statements}};
use domain::{Timestamp, ids::{AgentId, ConversationId, ExecutionId, ProjectId, SnapshotId, TestCaseId, TestRunId, TestSuiteId}};
use uuid::Uuid;

rows! {
    /// A stored run.
    #[derive(Debug, Clone)]
    pub struct TestRunRow {
        pub id: TestRunId,
        /// The suite of its case.
        pub suite_id: TestSuiteId,
        /// What is run.
        pub case_id: TestCaseId,
        /// Who is tested.
        pub agent_id: AgentId,
        /// In which state.
        pub snapshot_id: SnapshotId,
        /// The agent's execution; it need not have begun.
        pub execution_id: ExecutionId,
        /// Where it talks, once it has begun.
        pub conversation_id: Option<Uuid>,
        /// `queued`, `running`, `completed` or `error`.
        pub status: String,
        /// The run's state, JSON.
        pub state: String,
        /// Steps done.
        pub step_no: i64,
        /// When it began.
        pub started_at: Option<i64>,
        /// When it was over.
        pub ended_at: Option<i64>,
        pub created_at: Timestamp,
        pub updated_at: Timestamp,
    }
}

rows! {
    /// One step of a run.
    #[derive(Debug, Clone)]
    pub struct TestRunStepRow {
        /// Its number, from 1, without gaps.
        pub step_no: i64,
        /// JSON: what the run was fed.
        pub input: String,
        /// JSON: what it asked for.
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
    FIND = ["SELECT ", TestRunRow, " FROM test_runs WHERE project_id = $1 AND id = $2"];
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

/// A new run.
#[derive(Debug, Clone)]
pub struct NewTestRun<'a> {
    pub id: TestRunId,
    /// The suite of its case.
    pub suite: TestSuiteId,
    /// What is run.
    pub case: TestCaseId,
    /// Who is tested.
    pub agent: AgentId,
    /// In which state.
    pub snapshot: SnapshotId,
    /// The id that the agent's execution will have.
    pub execution: ExecutionId,
    /// The run's state, JSON.
    pub state: &'a str,
    pub now: Timestamp,
}

/// What a step leaves in its run.
#[derive(Debug, Clone)]
pub struct Saved<'a> {
    /// Where it talks.
    pub conversation: Option<ConversationId>,
    /// `running`, `completed` or `error`.
    pub status: &'a str,
    /// The run's state, JSON.
    pub state: &'a str,
    /// Steps done.
    pub step_no: i64,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
    pub now: Timestamp,
}

/// Stores a queued run.
pub async fn insert(tx: &mut Tx<'_>, project: ProjectId, r: &NewTestRun<'_>) -> Result<()> {
    run!(tx, INSERT, [project, r.id, r.suite, r.case, r.agent, r.snapshot, r.execution, r.state, r.now], execute)?;
    counters::add(tx, project, Counter::TestRunsOfCase(r.case.uuid()), r.id.uuid(), 1);
    counters::add(tx, project, Counter::TestRunsOfSuite(r.suite.uuid()), r.id.uuid(), 1);
    Ok(())
}

/// Saves what a step leaves. Call it under the epoch of the run's job.
pub async fn save(tx: &mut Tx<'_>, project: ProjectId, id: TestRunId, s: &Saved<'_>) -> Result<()> {
    run!(tx, SAVE, [project, id, s.conversation, s.status, s.state, s.step_no, s.started_at, s.ended_at, s.now], execute)
        .map(drop)
}

/// Lets a queued run begin; `false` if it is not queued any more.
pub async fn start(tx: &mut Tx<'_>, project: ProjectId, id: TestRunId, now: Timestamp) -> Result<bool> {
    Ok(run!(tx, START, [project, id, now], execute)? == 1)
}

/// The run of this id.
pub async fn find(conn: &mut Conn<'_>, project: ProjectId, id: TestRunId) -> Result<Option<TestRunRow>> {
    run!(conn, FIND, [project, id], fetch_optional as TestRunRow)
}

/// The run of this id, for a step: others who do the same wait.
pub async fn lock(tx: &mut Tx<'_>, project: ProjectId, id: TestRunId) -> Result<Option<TestRunRow>> {
    run!(tx, LOCK, [project, id], fetch_optional as TestRunRow)
}

/// A page of a case's runs, newest first, and how many there are.
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

/// A page of a suite's runs, newest first, and how many there are.
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

/// How many of a suite's runs have this status.
pub async fn count_in(conn: &mut Conn<'_>, project: ProjectId, suite: TestSuiteId, status: &str) -> Result<i64> {
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

/// Appends a step; a second one of the same number is refused.
pub async fn append(tx: &mut Tx<'_>, project: ProjectId, id: TestRunId, s: &TestRunStepRow) -> Result<()> {
    run!(tx, APPEND, [project, id, s.step_no, s.input, s.effects, s.at], execute).map(drop)
}

/// The steps of a run, in order.
pub async fn steps(conn: &mut Conn<'_>, project: ProjectId, id: TestRunId) -> Result<Vec<TestRunStepRow>> {
    run!(conn, STEPS, [project, id], fetch_all as TestRunStepRow)
}
