//! Advances test runs: asks the models that play the simulated user and the judge, and feeds their
//! answers.
//!
//! A run's job is claimed while a model is asked, as a conversation is during its turn. An answer,
//! the run's next state and its effects are one commit under the job's epoch. If its worker dies,
//! the model is asked again.

use crate::{
    Context, events, execution, failpoint, hooks,
    json::{from_json, to_json},
    model_providers, suspects, test_mode, turn,
    worker_step::{Did, retry_delay},
};
use domain::{
    Id, Timestamp,
    chat::ModelRequest,
    event::Event,
    execution::{ExecutionError, ExecutionInput, ExecutionStatus},
    ids::{ConversationId, ProjectId, TestRunId, TestSuiteId},
    job::{JobKind, TestRunStatus},
    message::Direction,
};
use engine::{
    State, judge, simulated_user,
    trial::{AgentTurnEnd, Line, Phase, Trial, TrialEffect, TrialInput},
};
use serde_json::json;
use store::{
    Conn, Error, Result, Tx, conversations,
    due::{self, SharedWork},
    executions, history,
    jobs::{self, JobRow, NewJob},
    messages, projects,
    suspects::{WorkId, WorkKind},
    test_runs::{self, Saved, TestRunRow, TestRunStepRow},
    test_suites, transact,
    unscoped::DueRow,
};

/// Concurrent runs of one suite.
const MAX_RUNS: i64 = 4;

/// Advances one due run until it waits for the agent or is over.
pub async fn step(ctx: &Context) -> Result<Did> {
    let due = {
        let mut reader = ctx.store.read().await?;
        due::first(&mut reader.conn(), SharedWork::TestRuns, ctx.now()).await?
    };
    let Some(due) = due else { return Ok(Did::Nothing) };
    run(ctx, due.test_run()).await?;
    Ok(Did::Something)
}

/// A model request of a run.
struct Question {
    project: ProjectId,
    job: JobRow,
    request: ModelRequest,
    name: String,
}

/// Advances a run that was seen as due. Does nothing if another worker was faster.
pub async fn run(ctx: &Context, due: DueRow) -> Result<()> {
    let now = ctx.now();
    let work = suspects::work(WorkKind::TestRun, due.project_id, Id::<()>::from_uuid(due.id));
    let _in_flight = ctx.in_flight.enter(work);
    let claimed = transact!(ctx.store, "trial.claim", tx => {
        let Some(job) = jobs::claim(tx, due, now).await? else { return Ok(None) };
        let question = ClaimedRun::load(ctx, tx, due.project_id, job).await?.advance(None).await?;
        failpoint::reach("trial.commit");
        Ok(question)
    });
    failpoint::reach("trial.committed");
    match claimed {
        Ok(question) => ask_models(ctx, question, work).await,
        Err(Error::StaleEpoch) => Err(Error::StaleEpoch),
        Err(error) => {
            let (until, why) = (now + retry_delay(&error), error.to_string());
            transact!(ctx.store, "job.postpone", tx => jobs::postpone(tx, due, now, until, &why).await)?;
            Err(error)
        }
    }
}

async fn ask_models(ctx: &Context, mut question: Option<Question>, work: WorkId) -> Result<()> {
    // A message to the agent in the last commit is a turn of another worker.
    ctx.wake.notify_one();
    while let Some(Question { project, job, request, name }) = question {
        if projects::is_stopped(&mut ctx.store.read().await?.conn(), project).await? {
            return hand_over(ctx, project, &job).await;
        }
        let _lease = ctx.jobs.enter((project, Id::<()>::from_uuid(job.id), job.epoch), ctx.clock.monotonic());
        failpoint::reach("trial.ask");
        let answer = tokio::select! {
            answer = model_providers::complete(ctx, project, &request, &name) => answer?,
            () = ctx.stopping.cancelled() => return hand_over(ctx, project, &job).await,
        };
        failpoint::reach("trial.answered");
        let input = match answer {
            Ok(response) => TrialInput::Answered { response: turn::storable(response) },
            Err(failure) => TrialInput::Unanswered { failure: turn::class_of(failure) },
        };
        let next = transact!(ctx.store, "trial.step", tx => {
            let job = job.clone();
            let question = ClaimedRun::load(ctx, tx, project, job).await?.advance(Some(input.clone())).await?;
            suspects::clear_within(ctx, tx, work).await?;
            failpoint::reach("trial.commit");
            Ok(question)
        });
        failpoint::reach("trial.committed");
        ctx.wake.notify_one();
        question = match next {
            Ok(next) => {
                ctx.in_flight.forget(work);
                next
            }
            Err(Error::StaleEpoch) => return Err(Error::StaleEpoch),
            Err(error) => {
                let (until, why) = (ctx.now() + retry_delay(&error), error.to_string());
                transact!(ctx.store, "job.postpone", tx => jobs::again(tx, project, &job, until, &why).await)?;
                return Err(error);
            }
        };
    }
    Ok(())
}

/// Leaves the run to another node, or to the time when its project is restored.
async fn hand_over(ctx: &Context, project: ProjectId, job: &JobRow) -> Result<()> {
    let now = ctx.now();
    transact!(ctx.store, "trial.hand_over", tx => jobs::again(tx, project, job, now, "").await)
}

/// A claimed run within one transaction.
struct ClaimedRun<'a, 'b, 'c> {
    ctx: &'a Context,
    tx: &'b mut Tx<'c>,
    project: ProjectId,
    job: JobRow,
    now: Timestamp,
    found: Option<(TestRunRow, Trial)>,
}

impl<'a, 'b, 'c> ClaimedRun<'a, 'b, 'c> {
    async fn load(ctx: &'a Context, tx: &'b mut Tx<'c>, project: ProjectId, job: JobRow) -> Result<Self> {
        let now = ctx.now();
        // Fails here, before anything is written, if the job was reclaimed.
        jobs::hold(tx, project, &job, &ctx.node).await?;
        let id = job.payload.parse().map_err(|_| Error::Damaged { what: "job", why: "not a test run id".into() })?;
        let found = match test_runs::lock(tx, project, id).await? {
            Some(row) => {
                failpoint::poison("trial", || row.state.as_str());
                let trial = from_json("test run", &row.state)?;
                Some((row, trial))
            }
            None => None,
        };
        Ok(Self { ctx, tx, project, job, now, found })
    }

    /// Feeds an input. The run then has a question, waits for the agent, or is over.
    async fn advance(self, input: Option<TrialInput>) -> Result<Option<Question>> {
        let Self { ctx, tx, project, job, now, found } = self;
        let Some((mut row, mut trial)) = found else {
            return jobs::finish(tx, project, &job).await.map(|()| None);
        };
        let input = match input {
            Some(input) => Some(input),
            None => due_input(tx, project, &row, &trial, now).await?,
        };
        if let Some(input) = input {
            let effects = feed(tx, project, &mut row, &mut trial, &input, now).await?;
            execute(ctx, tx, project, &mut row, &trial, &effects).await?;
            save(ctx, tx, project, &row, &trial, now).await?;
        }
        match trial.phase {
            Phase::Queued => Err(Error::Damaged { what: "test run", why: "it does not start".into() }),
            Phase::Over => {
                jobs::finish(tx, project, &job).await?;
                start_queued(ctx, tx, project, row.suite_id).await.map(|()| None)
            }
            Phase::Talking => {
                let deadline = trial.deadline().unwrap_or(now);
                jobs::again(tx, project, &job, deadline, "").await.map(|()| None)
            }
            Phase::Simulating | Phase::Judging => match trial.not_before.filter(|time| *time > now) {
                Some(time) => jobs::again(tx, project, &job, time, "").await.map(|()| None),
                None => {
                    let request = model_request(tx, project, &row, &trial).await?;
                    let name = format!("{}-{}", row.id, row.step_no);
                    Ok(Some(Question { project, job, request, name }))
                }
            },
        }
    }
}

/// The input of a run that has no answer: its start, the agent's answer, or the deadline.
async fn due_input(
    tx: &mut Tx<'_>,
    project: ProjectId,
    row: &TestRunRow,
    trial: &Trial,
    now: Timestamp,
) -> Result<Option<TrialInput>> {
    if trial.phase == Phase::Queued {
        return Ok(Some(TrialInput::Begin));
    }
    if trial.phase == Phase::Talking
        && let Some(input) = agent_turn_end(tx, project, row).await?
    {
        return Ok(Some(input));
    }
    let late = trial.deadline().is_some_and(|deadline| now >= deadline);
    let talking = matches!(trial.phase, Phase::Talking | Phase::Simulating);
    Ok((late && talking).then_some(TrialInput::Time))
}

/// The agent's complete answer: it waits, has ended or has failed.
async fn agent_turn_end(tx: &mut Tx<'_>, project: ProjectId, row: &TestRunRow) -> Result<Option<TrialInput>> {
    let Some(conversation) = row.conversation_id else { return Ok(None) };
    let Some(conversation) = conversations::find(tx, project, conversation).await? else { return Ok(None) };
    let Some(execution) = executions::find(tx, project, row.execution_id).await? else { return Ok(None) };
    let Some(status) = test_mode::status_at_rest(&conversation, &execution) else { return Ok(None) };
    let end = match status {
        ExecutionStatus::Paused => AgentTurnEnd::Waits,
        ExecutionStatus::Failed => {
            let error = execution.error.as_deref().unwrap_or_default();
            let error: ExecutionError = from_json("error", error)?;
            AgentTurnEnd::Failed { code: error.code, message: error.message }
        }
        _ => AgentTurnEnd::Done,
    };
    let state = executions::state(tx, project, row.execution_id).await?;
    let state = state.map(|row| State::load(row.state_format, &row.state)).transpose();
    let state = state.map_err(|why| Error::Damaged { what: "state", why })?;
    let usage = state.map(|state| state.usage).unwrap_or_default();
    Ok(Some(TrialInput::Agent { end, usage }))
}

/// Feeds one input and records it with its effects.
async fn feed(
    tx: &mut Tx<'_>,
    project: ProjectId,
    row: &mut TestRunRow,
    trial: &mut Trial,
    input: &TrialInput,
    now: Timestamp,
) -> Result<Vec<TrialEffect>> {
    let effects = trial.advance(now, input);
    row.step_no += 1;
    let step = TestRunStepRow {
        step_no: row.step_no,
        input: to_json("input", input)?,
        effects: to_json("effects", &effects)?,
        at: now,
    };
    test_runs::append(tx, project, row.id, &step).await?;
    Ok(effects)
}

async fn execute(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    row: &mut TestRunRow,
    trial: &Trial,
    effects: &[TrialEffect],
) -> Result<()> {
    for effect in effects {
        match effect {
            TrialEffect::SendToAgent { text } => {
                let conversation = match row.conversation_id {
                    Some(id) => id,
                    None => {
                        let conversation = test_mode::open(ctx, tx, project).await?;
                        let (agent, snapshot) = (row.agent_id, row.snapshot_id);
                        test_mode::begin(ctx, tx, project, &conversation, agent, snapshot, row.execution_id).await?;
                        row.conversation_id = Some(conversation.id);
                        conversation.id
                    }
                };
                let input = ExecutionInput::UserInput { text: text.clone() };
                test_mode::deliver(ctx, tx, project, conversation, row.execution_id, &input).await?;
            }
            // The conversation is over; the agent need not finish.
            TrialEffect::AskJudge | TrialEffect::Finish => stop_agent(ctx, tx, project, row, trial).await?,
            TrialEffect::AskUser => {}
        }
    }
    Ok(())
}

async fn stop_agent(ctx: &Context, tx: &mut Tx<'_>, project: ProjectId, row: &TestRunRow, trial: &Trial) -> Result<()> {
    let Some(conversation) = row.conversation_id else { return Ok(()) };
    let execution = executions::find(tx, project, row.execution_id).await?;
    let over = execution.is_some_and(|row| row.status.is_over());
    if over || trial.phase != Phase::Over {
        return Ok(());
    }
    test_mode::stop(ctx, tx, project, conversation, "test_over").await
}

/// Saves the run. Call it in the transaction that locked the row.
async fn save(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    row: &TestRunRow,
    trial: &Trial,
    now: Timestamp,
) -> Result<()> {
    let over = trial.phase == Phase::Over;
    let status = match (over, &trial.error) {
        (false, _) => TestRunStatus::Running,
        (true, None) => TestRunStatus::Completed,
        (true, Some(_)) => TestRunStatus::Error,
    };
    let saved = Saved {
        conversation: row.conversation_id,
        status,
        state: &to_json("test run", trial)?,
        step_no: row.step_no,
        started_at: row.started_at,
        ended_at: over.then_some(now),
        now,
    };
    test_runs::save(tx, project, row.id, &saved).await?;
    if over {
        // The words of the API.
        let verdict = trial.verdict.as_ref();
        let error = trial.error.as_ref().map(|error| json!({"type": error.kind, "message": error.message}));
        let run = json!({"id": row.id, "agent_id": row.agent_id, "status": status.as_str(),
            "score": verdict.map(judge::Verdict::score),
            "feedback": verdict.map(|verdict| &verdict.feedback), "error": error});
        hooks::test_run_finished(ctx, tx, project, &run, now).await?;
    }
    append_event(ctx, tx, project, row.id, status).await
}

/// Reports a new or changed run.
pub async fn append_event(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    id: TestRunId,
    status: TestRunStatus,
) -> Result<()> {
    let body = json!({"status": status.as_str()});
    events::append(ctx, tx, project, Event::TestRunUpdated, id.uuid(), &body).await
}

/// Cancels a run. No effect on one that is over or does not exist.
pub async fn cancel(ctx: &Context, tx: &mut Tx<'_>, project: ProjectId, id: TestRunId) -> Result<()> {
    end(ctx, tx, project, id, &TrialInput::Cancel).await
}

/// Ends a run with an input that is obeyed in each phase.
pub(crate) async fn end(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    id: TestRunId,
    input: &TrialInput,
) -> Result<()> {
    let Some(mut row) = test_runs::lock(tx, project, id).await? else { return Ok(()) };
    let mut trial: Trial = from_json("test run", &row.state)?;
    if trial.phase == Phase::Over {
        return Ok(());
    }
    let now = ctx.now();
    let effects = feed(tx, project, &mut row, &mut trial, input, now).await?;
    execute(ctx, tx, project, &mut row, &trial, &effects).await?;
    save(ctx, tx, project, &row, &trial, now).await?;
    // A worker that has claimed it finds that it is over.
    jobs::wake(&mut tx.scope(project, now), JobKind::TestRun, &row.execution_id.to_string()).await?;
    start_queued(ctx, tx, project, row.suite_id).await
}

/// Starts a queued run.
pub async fn start(ctx: &Context, tx: &mut Tx<'_>, project: ProjectId, id: TestRunId, key: &str) -> Result<()> {
    let now = ctx.now();
    if test_runs::start(tx, project, id, now).await? {
        let (job_id, payload) = (ctx.new_uuid(), id.to_string());
        let job = NewJob { id: job_id, kind: JobKind::TestRun, key, payload: &payload, run_at: now };
        jobs::put(&mut tx.scope(project, now), job).await?;
        append_event(ctx, tx, project, id, TestRunStatus::Running).await?;
    }
    Ok(())
}

/// Starts queued runs of a suite up to the limit, oldest first.
pub async fn start_queued(ctx: &Context, tx: &mut Tx<'_>, project: ProjectId, suite: TestSuiteId) -> Result<()> {
    test_suites::lock(tx, project, suite).await?;
    let room = MAX_RUNS - test_runs::count_in(tx, project, suite, TestRunStatus::Running).await?;
    for row in test_runs::queued(tx, project, suite, room.max(0)).await? {
        start(ctx, tx, project, row.id, &row.execution_id.to_string()).await?;
    }
    Ok(())
}

/// The transcript, oldest first.
pub async fn lines(conn: &mut Conn<'_>, project: ProjectId, conversation: ConversationId) -> Result<Vec<Line>> {
    let rows = messages::in_order(conn, project, conversation, i64::MAX).await?;
    let line = |row: messages::MessageRow| Line { by_user: row.direction == Direction::Inbound, text: row.content };
    Ok(rows.into_iter().map(line).collect())
}

async fn model_request(
    conn: &mut Conn<'_>,
    project: ProjectId,
    row: &TestRunRow,
    trial: &Trial,
) -> Result<ModelRequest> {
    let transcript = match row.conversation_id {
        Some(id) => lines(conn, project, id).await?,
        None => Vec::new(),
    };
    let llm = execution::model(conn, project, row.snapshot_id).await?;
    if trial.phase == Phase::Simulating {
        return Ok(simulated_user::request(&trial.script, &transcript, llm));
    }
    let log = history::window(conn, project, row.execution_id, 1).await?;
    let log = log.iter().map(|row| from_json("history", &row.entry)).collect::<Result<Vec<_>>>()?;
    Ok(judge::request(&trial.rubric, &transcript, &log, trial.refused.as_deref(), llm))
}
