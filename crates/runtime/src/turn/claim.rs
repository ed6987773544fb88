//! Claims conversations and runs their turns: executes each effect, feeds its outcome, until the
//! execution waits.

use super::{
    effects,
    step::{self, ActiveTurn, Claim},
};
use crate::{
    Context, failpoint,
    slots::Slot,
    suspects,
    worker_step::{Did, IMMEDIATELY, retry_delay},
};
use domain::ids::{ConversationId, ProjectId};
use store::{
    Error, Tx, conversations,
    due::{self, SharedWork},
    projects,
    suspects::WorkKind,
    transact,
    unscoped::DueConversation,
};

/// Runs one due turn.
pub(crate) async fn step(ctx: &Context) -> store::Result<Did> {
    let due = {
        let mut reader = ctx.store.read().await?;
        due::first(&mut reader.conn(), SharedWork::Turns, ctx.now()).await?
    };
    let Some(due) = due else { return Ok(Did::Nothing) };
    run(ctx, due.turn()).await?;
    Ok(Did::Something)
}

/// Runs the turn of a conversation that was seen as due. Does nothing if another worker was faster.
pub(crate) async fn run(ctx: &Context, due: DueConversation) -> store::Result<()> {
    let _interrupts = ctx.interrupts.enter(due.id);
    let work = suspects::work(WorkKind::Turn, due.project_id, due.id);
    let _in_flight = ctx.in_flight.enter(work);
    let claimed = transact!(ctx.store, "turn.claim", tx => {
        let Some(conversation) = conversations::claim(tx, due, &ctx.node).await? else { return Ok(None) };
        let turn = step::step(ctx, tx, due.project_id, conversation, Claim::New, &[]).await?;
        failpoint::reach("claim.commit");
        Ok(Some(turn))
    });
    failpoint::reach("claim.committed");
    match claimed {
        Ok(None) => Ok(()),
        // The first step finished the turn.
        Ok(Some(None)) => suspects::clear(ctx, work).await,
        Ok(Some(turn)) => continue_turn(ctx, turn).await,
        Err(error) => postpone(ctx, (due.project_id, due.id, due.epoch), error).await,
    }
}

/// A turn that an API request has begun, with its slot.
pub struct Accepted {
    turn: ActiveTurn,
    _slot: Slot,
}

/// Runs the first step of a turn in the caller's transaction, so that an API request sees its
/// result. If a worker holds the conversation, that worker reads the input at its next step. If the
/// project has no slot for another turn, a worker reads it later. Pass the result to
/// [`spawn_continue_turn`].
pub async fn accept(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    id: ConversationId,
) -> store::Result<Option<Accepted>> {
    let Some(slot) = ctx.slots.turns.take(project) else { return Ok(None) };
    let Some(conversation) = conversations::claim_if_free(tx, project, id, &ctx.node).await? else { return Ok(None) };
    let turn = step::step(ctx, tx, project, conversation, Claim::New, &[]).await?;
    Ok(turn.map(|turn| Accepted { turn, _slot: slot }))
}

/// Continues an accepted turn on a task of its own. If it dies, its lease expires.
pub fn spawn_continue_turn(ctx: &Context, accepted: Option<Accepted>) {
    let Some(Accepted { turn, _slot }) = accepted else { return };
    let ctx = ctx.clone();
    tokio::spawn(async move {
        let _slot = _slot;
        let _interrupts = ctx.interrupts.enter(turn.conversation.id);
        let _in_flight = ctx.in_flight.enter(suspects::work(WorkKind::Turn, turn.project, turn.conversation.id));
        if let Err(error) = continue_turn(&ctx, Some(turn)).await {
            tracing::warn!(%error, "turn failed; it stays due");
        }
    });
}

/// Releases a failed turn until a later time.
async fn postpone(
    ctx: &Context,
    (project, id, epoch): (ProjectId, ConversationId, i64),
    error: Error,
) -> store::Result<()> {
    if !matches!(error, Error::StaleEpoch) {
        let at = ctx.now() + retry_delay(&error);
        transact!(ctx.store, "turn.postpone", tx => conversations::postpone(tx, project, id, epoch, at).await)?;
    }
    Err(error)
}

/// Continues a turn until the execution waits or is over.
pub(crate) async fn continue_turn(ctx: &Context, mut turn: Option<ActiveTurn>) -> store::Result<()> {
    // Sends and timers of the last commit are due for other workers.
    ctx.wake.notify_one();
    while let Some(active) = turn {
        let key = (active.project, active.conversation.id, active.conversation.epoch);
        let _lease = ctx.turns.enter(key, ctx.clock.monotonic());
        turn = match execute_and_step(ctx, &active).await {
            Ok(next) => next,
            Err(error) => return postpone(ctx, key, error).await,
        };
        failpoint::reach("step.committed");
        ctx.in_flight.forget(suspects::work(WorkKind::Turn, active.project, active.conversation.id));
        ctx.wake.notify_one();
    }
    Ok(())
}

/// Executes one effect and feeds its outcome. A node that stops does not wait for a model or a tool
/// list: these have no side effects, so the next worker repeats them. For a project that was archived
/// meanwhile they are not begun.
async fn execute_and_step(ctx: &Context, turn: &ActiveTurn) -> store::Result<Option<ActiveTurn>> {
    let can_abandon = turn.pending.can_abandon();
    if can_abandon && projects::is_stopped(&mut ctx.store.read().await?.conn(), turn.project).await? {
        return release(ctx, turn).await.map(|()| None);
    }
    let outcome = tokio::select! {
        // An outcome that is available is used.
        biased;
        outcome = effects::execute(ctx, turn) => outcome?,
        // The input is in the mailbox. Without an outcome the engine cancels the request, or the
        // model is asked again.
        () = ctx.interrupts.signalled(turn.conversation.id), if can_abandon => Vec::new(),
        () = ctx.stopping.cancelled(), if can_abandon => return release(ctx, turn).await.map(|()| None),
    };
    transact!(ctx.store, "turn.step", tx => {
        let now = ctx.now();
        let conversation = conversations::held(tx, turn.project, turn.conversation.id, turn.conversation.epoch, now).await?;
        let next = step::next_step(ctx, tx, turn, conversation, &outcome).await?;
        let work = suspects::work(WorkKind::Turn, turn.project, turn.conversation.id);
        suspects::clear_within(ctx, tx, work).await?;
        failpoint::reach("step.commit");
        Ok(next)
    })
}

/// Leaves the turn to another node, or to the time when its project is restored.
async fn release(ctx: &Context, turn: &ActiveTurn) -> store::Result<()> {
    let (project, id, epoch) = (turn.project, turn.conversation.id, turn.conversation.epoch);
    transact!(ctx.store, "turn.hand_over", tx => conversations::postpone(tx, project, id, epoch, IMMEDIATELY).await)
}
