//! Poison guard: parks work that repeatedly ends the process, so that the node serves all others.
//!
//! Each death counts once for all work that was in progress (`in_flight`). Work with two deaths runs
//! alone when the next process starts: it clears itself by committing an outcome, or it ends the
//! process again and is certainly the cause. Then it is parked: failed, with an event, a log line
//! and a metric. A panic ends only its own work, so it is certain at once.

use crate::{
    Context, Left, dispatch, hook_delivery, jobs,
    suspects::{self, PARKED},
    trials, turn,
};
use domain::{
    Id, Timestamp,
    ids::{ExecutionId, ProjectId},
    job::JobKind,
};
use engine::{ForcedEnd, Input, trial::TrialInput};
use std::time::Duration;
use store::{
    Result, Tx, conversations, executions, hook_deliveries,
    jobs::{self as job_rows, JobRow},
    outbox,
    suspects::{SuspectRow, WorkId, WorkKind},
    transact,
    unscoped::{self, DueConversation, DueOutbox, DueRow},
};
use uuid::Uuid;

/// Code of work that was parked.
const CODE: &str = "poison";
const WHY: &str = "processing this ended the server process three times";
/// Longest time that a suspect runs alone. After it, it has not ended the process at once, and runs
/// beside others.
const ALONE: Duration = Duration::from_secs(10);
/// Longest time that a start spends on suspects before it serves others.
const ALL_ALONE: Duration = Duration::from_secs(60);
/// Parked jobs wait for this.
const NEVER: Timestamp = Timestamp::from_micros(i64::MAX);

/// Counts a death for each entry, and loads the suspects. Call it before anything runs.
pub async fn count(ctx: &Context, left: &[Left]) -> Result<()> {
    for Left { work, alone } in left {
        let deaths = suspects::add(ctx, *work, *alone).await?;
        tracing::warn!(kind = %work.kind, subject = %work.subject, deaths, "was in progress when the process died");
    }
    let mut reader = ctx.store.read().await?;
    let rows = unscoped::suspects(&mut reader.conn()).await?;
    ctx.in_flight.set_suspects(&rows);
    Ok(())
}

/// Parks work with three deaths, and runs work with two alone, one after the other.
pub(crate) async fn recover(ctx: &Context) -> Result<()> {
    let rows = {
        let mut reader = ctx.store.read().await?;
        unscoped::suspects(&mut reader.conn()).await?
    };
    let began = ctx.clock.monotonic();
    for row in rows.iter().filter(|row| row.parked_at.is_none()) {
        if row.deaths >= PARKED {
            park(ctx, row.work()).await?;
        } else if row.deaths + 1 == PARKED && ctx.clock.monotonic().saturating_sub(began) < ALL_ALONE {
            run_alone(ctx, row).await;
        }
    }
    Ok(())
}

async fn run_alone(ctx: &Context, row: &SuspectRow) {
    let work = row.work();
    let _exclusive = ctx.in_flight.exclusive().await;
    ctx.in_flight.set_alone(Some(work));
    let (task_ctx, row) = (ctx.clone(), row.clone());
    let mut task = tokio::spawn(async move { execute(&task_ctx, &row).await });
    tokio::select! {
        done = &mut task => match done {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(kind = %work.kind, subject = %work.subject, %error, "work failed; it stays due"),
            Err(error) => panicked(ctx, work, &error).await,
        },
        () = tokio::time::sleep(ALONE) => {}
    }
    ctx.in_flight.set_alone(None);
}

/// Executes the work if it is due.
async fn execute(ctx: &Context, row: &SuspectRow) -> Result<()> {
    let (project, id) = (row.project_id, row.subject_id);
    match row.kind {
        WorkKind::Turn => match due_turn(ctx, project, id).await? {
            Some(due) => turn::run(ctx, due).await,
            None => Ok(()),
        },
        WorkKind::Send => match due_send(ctx, project, id).await? {
            Some(due) => dispatch::run(ctx, due, None).await,
            None => Ok(()),
        },
        WorkKind::TestRun => trials::run(ctx, DueRow { project_id: project, id }).await,
        WorkKind::Job => jobs::run_any(ctx, DueRow { project_id: project, id }).await,
        // Processed alone when Meta repeats it.
        WorkKind::Webhook => Ok(()),
        // Posted by the loop of the webhooks when its lease has ended.
        WorkKind::Hook => Ok(()),
    }
}

async fn due_turn(ctx: &Context, project: ProjectId, id: Uuid) -> Result<Option<DueConversation>> {
    let mut reader = ctx.store.read().await?;
    let row = conversations::find(&mut reader.conn(), project, Id::from_uuid(id)).await?;
    let row = row.filter(|row| row.due_at.is_some_and(|at| at <= ctx.now()));
    Ok(row.map(|row| DueConversation { project_id: project, id: row.id, epoch: row.epoch }))
}

async fn due_send(ctx: &Context, project: ProjectId, id: Uuid) -> Result<Option<DueOutbox>> {
    let mut reader = ctx.store.read().await?;
    let row = outbox::find(&mut reader.conn(), project, Id::from_uuid(id)).await?;
    Ok(row.map(|row| DueOutbox { project_id: project, id: row.id, epoch: row.epoch }))
}

/// Counts a panic of this work, and parks the work at the third.
pub(crate) async fn panicked(ctx: &Context, work: WorkId, error: &tokio::task::JoinError) {
    metrics::counter!("chasqui_panics_total").increment(1);
    tracing::error!(kind = %work.kind, project = %work.project, subject = %work.subject, %error, "work panicked");
    let counted = async {
        if suspects::add(ctx, work, true).await? >= PARKED {
            return park(ctx, work).await;
        }
        // Not to wait for the end of its lease.
        transact!(ctx.store, "poison.release", tx => {
            match work.kind {
                WorkKind::Turn => conversations::seize(tx, work.project, Id::from_uuid(work.subject)).await.map(drop),
                WorkKind::Send => outbox::seize(tx, work.project, Id::from_uuid(work.subject)).await.map(drop),
                WorkKind::TestRun | WorkKind::Job => job_rows::seize(tx, work.project, work.subject).await.map(drop),
                WorkKind::Hook => hook_deliveries::release(tx, work.project, Id::from_uuid(work.subject)).await,
                WorkKind::Webhook => Ok(()),
            }
        })
    };
    if let Err(error) = counted.await {
        tracing::error!(%error, "cannot count the panic");
    }
}

/// Fails the work for good.
async fn park(ctx: &Context, work: WorkId) -> Result<()> {
    transact!(ctx.store, "poison.park", tx => {
        match work.kind {
            WorkKind::Turn => {
                let end = Input::ForceEnd { end: ForcedEnd::Failed, code: CODE.into(), message: WHY.into() };
                turn::force_end(ctx, tx, work.project, Id::from_uuid(work.subject), end).await?;
            }
            WorkKind::Send => dispatch::park(ctx, tx, work.project, Id::from_uuid(work.subject), WHY).await?,
            WorkKind::TestRun | WorkKind::Job => {
                if let Some(job) = job_rows::seize(tx, work.project, work.subject).await? {
                    park_job(ctx, tx, work.project, &job).await?;
                }
            }
            WorkKind::Hook => hook_delivery::park(ctx, tx, work.project, Id::from_uuid(work.subject), WHY).await?,
            WorkKind::Webhook => {}
        }
        store::suspects::park(tx, work, ctx.now()).await
    })?;
    if work.kind != WorkKind::Webhook {
        ctx.in_flight.forget(work);
    }
    let labels = [("kind", work.kind.to_string()), ("project", work.project.to_string())];
    metrics::counter!("chasqui_work_parked_total", &labels).increment(1);
    tracing::error!(
        kind = %work.kind, project = %work.project, subject = %work.subject,
        "work parked: it ended the process three times; see `chasqui executions list --parked`"
    );
    Ok(())
}

/// Stops an execution without running its agent. One that is over stays as it is.
pub async fn stop(ctx: &Context, tx: &mut Tx<'_>, project: ProjectId, id: ExecutionId) -> Result<()> {
    let Some(row) = executions::find(tx, project, id).await? else { return Ok(()) };
    let conversation = conversations::find(tx, project, row.conversation_id).await?;
    // A newer execution of the conversation is not the one to stop.
    if conversation.and_then(|conversation| conversation.execution_id) != Some(id) || row.status.is_over() {
        return Ok(());
    }
    let message = "stopped by an operator".into();
    let end = Input::ForceEnd { end: ForcedEnd::Stopped, code: "stopped_by_operator".into(), message };
    turn::force_end(ctx, tx, project, row.conversation_id, end).await
}

async fn park_job(ctx: &Context, tx: &mut Tx<'_>, project: ProjectId, job: &JobRow) -> Result<()> {
    if job.kind.parse() != Ok(JobKind::TestRun) {
        return job_rows::again(tx, project, job, NEVER, CODE).await;
    }
    job_rows::finish(tx, project, job).await?;
    let Ok(run) = job.payload.parse() else { return Ok(()) };
    let fail = TrialInput::Fail { code: CODE.into(), message: WHY.into() };
    trials::end(ctx, tx, project, run, &fail).await
}
