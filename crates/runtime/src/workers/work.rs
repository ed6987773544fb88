//! Due work: finding it, and executing one piece of it.

use crate::{Context, dispatch, hook_delivery, jobs, slots::Slot, suspects, timers, trials, turn, worker_step::Did};
use domain::{
    Id,
    ids::{ConversationId, OutboxId},
};
use store::{
    suspects::{WorkId, WorkKind},
    unscoped::{DueConversation, DueOutbox, DueRow},
};
use uuid::Uuid;

/// Does one thing that is due, of any kind.
pub async fn step(ctx: &Context) -> store::Result<Did> {
    for did in [
        timers::step(ctx).await?,
        jobs::step_local(ctx).await?,
        dispatch::step(ctx).await?,
        turn::claim_and_run(ctx).await?,
        trials::step(ctx).await?,
        jobs::step_external(ctx).await?,
        hook_delivery::step(ctx).await?,
    ] {
        if did == Did::Something {
            return Ok(did);
        }
    }
    Ok(Did::Nothing)
}

/// A piece of due work. Different pieces run concurrently; of two nodes that take the same one, one
/// finds it claimed.
#[derive(Debug, Clone, Copy)]
pub enum Work {
    Turn(DueConversation),
    Send(DueOutbox),
    TestRun(DueRow),
    /// A job that calls Meta.
    Job(DueRow),
}

/// Identifies a piece of work: a node does not execute it twice at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    Turn(ConversationId),
    Send(OutboxId),
    /// By its job.
    TestRun(Uuid),
    Job(Uuid),
}

impl Work {
    pub const fn subject(&self) -> Subject {
        match self {
            Self::Turn(due) => Subject::Turn(due.id),
            Self::Send(due) => Subject::Send(due.id),
            Self::TestRun(due) => Subject::TestRun(due.id),
            Self::Job(due) => Subject::Job(due.id),
        }
    }

    /// Identifies it across processes.
    pub(super) fn id(&self) -> WorkId {
        match self {
            Self::Turn(due) => suspects::work(WorkKind::Turn, due.project_id, due.id),
            Self::Send(due) => suspects::work(WorkKind::Send, due.project_id, due.id),
            Self::TestRun(due) => suspects::work(WorkKind::TestRun, due.project_id, Id::<()>::from_uuid(due.id)),
            Self::Job(due) => suspects::work(WorkKind::Job, due.project_id, Id::<()>::from_uuid(due.id)),
        }
    }

    /// Executes it as far as it goes. After an error it stays due.
    pub async fn execute(self, ctx: Context) -> store::Result<()> {
        self.execute_in(ctx, None).await
    }

    /// As [`Self::execute`], in a slot of its project.
    pub(super) async fn execute_in(self, ctx: Context, slot: Option<Slot>) -> store::Result<()> {
        match self {
            Self::Send(due) => return dispatch::run(&ctx, due, slot).await,
            Self::Turn(due) => turn::run(&ctx, due).await,
            Self::TestRun(due) => trials::run(&ctx, due).await,
            Self::Job(due) => jobs::run(&ctx, due).await,
        }
    }
}

/// Fires due timers and runs due jobs that need no network.
pub async fn run_due_timers(ctx: &Context) -> store::Result<()> {
    let fired = timers::step(ctx).await;
    jobs::step_local(ctx).await?;
    fired.map(drop)
}
