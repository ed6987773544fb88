//! One engine step as one commit: outcome, state, history, journal, outbox entries, timers and
//! event together, under the conversation's epoch.

use super::{
    loaded_execution::{LoadAgent, LoadedExecution},
    pending::PendingEffect,
    step_inputs::{self, prepend_earlier},
};
use crate::{Context, failpoint, worker_step::IMMEDIATELY};
use domain::{
    Timestamp,
    ids::{ExecutionId, ProjectId},
};
use engine::{Compiled, Input, State};
use std::sync::Arc;
use store::{
    Result, Tx,
    conversations::{self, ConversationRow, Release},
    mailbox,
};

/// A claimed turn in memory, between two steps.
#[derive(Debug, Clone)]
pub struct ActiveTurn {
    pub(crate) project: ProjectId,
    pub(crate) conversation: ConversationRow,
    pub(crate) execution: ExecutionId,
    pub(crate) agent: Arc<Compiled>,
    pub(crate) state: State,
    pub(crate) step_no: i64,
    pub(crate) pending: PendingEffect,
}

/// The caller's claim on the conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Claim {
    /// It was due and free: a worker that had an effect pending is gone.
    New,
    /// It was claimed together with an outcome.
    Continued,
}

/// Feeds `outcomes` and the mailbox to the engine as far as they go. `None`: the execution waits or
/// is over, and the conversation is released.
pub(crate) async fn step(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: ConversationRow,
    claim: Claim,
    outcomes: &[Input],
) -> Result<Option<ActiveTurn>> {
    step_from(ctx, tx, project, conversation, outcomes, Start::Stored(claim)).await
}

/// As [`step`], for a turn that this node holds: under the conversation's epoch, its state in
/// memory is what is stored.
pub(super) async fn next_step(
    ctx: &Context,
    tx: &mut Tx<'_>,
    turn: &ActiveTurn,
    conversation: ConversationRow,
    outcomes: &[Input],
) -> Result<Option<ActiveTurn>> {
    let loaded = LoadedExecution {
        id: turn.execution,
        agent: Some(turn.agent.clone()),
        broken: String::new(),
        stored_status: turn.state.status(),
        state: turn.state.clone(),
        step_no: turn.step_no,
        // A changed contact is read when the next turn is claimed.
        contact_version: turn.state.contact.as_ref().map_or(0, |contact| contact.version),
        previous_ended_at: Timestamp::from_micros(0),
        llm_calls: 0,
    };
    step_from(ctx, tx, turn.project, conversation, outcomes, Start::InMemory(Box::new(loaded))).await
}

enum Start {
    Stored(Claim),
    InMemory(Box<LoadedExecution>),
}

async fn step_from(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: ConversationRow,
    outcomes: &[Input],
    start: Start,
) -> Result<Option<ActiveTurn>> {
    let now = ctx.now();
    let taken = step_inputs::take(tx, project, &conversation, now).await?;
    if taken.must_wait {
        release(tx, project, &conversation, None, None, false).await?;
        return Ok(None);
    }
    let mut inputs = outcomes.to_vec();
    inputs.extend(taken.inputs);
    let reclaimed = matches!(start, Start::Stored(Claim::New));
    let execution = match start {
        Start::InMemory(execution) => Some(*execution),
        Start::Stored(_) => {
            let first = taken.first_message;
            LoadedExecution::load(ctx, tx, project, &conversation, &mut inputs, first, LoadAgent::Yes, now).await?
        }
    };
    let Some(mut execution) = execution else {
        // No agent answers: inbound messages are stored already. Messages of people are kept for an
        // agent that starts later.
        for row in taken.external.iter().filter(|_| conversation.agent_id.is_some()) {
            mailbox::put(tx, project, conversation.id, row).await?;
        }
        release(tx, project, &conversation, None, None, false).await?;
        return Ok(None);
    };
    if execution.is_new() {
        step_inputs::as_earlier(&mut inputs, now);
    }
    let pending_before = execution.state.phase.pending().cloned();
    let status_before = execution.state.status();
    if reclaimed && execution.agent.is_some() && execution.state.has_running_effect() {
        inputs.insert(0, Input::Reclaimed);
    }
    let first = taken.first_seq;
    let (earlier, contact) = execution.context_inputs(tx, project, &conversation, &inputs, first, now).await?;
    prepend_earlier(&mut inputs, earlier);
    inputs.splice(0..0, contact);
    // A closed service window refuses a send at once: its outcome is fed in the same commit.
    let mut cannot_run = execution.agent.is_none() && !execution.state.status().is_over();
    while !inputs.is_empty() || execution.is_new() || std::mem::take(&mut cannot_run) {
        failpoint::poison("turn", || format!("{inputs:?}"));
        let step = execution.advance(now, &inputs);
        inputs = execution.record(ctx, tx, project, &conversation, &step, &inputs, now).await?;
    }
    execution.save(ctx, tx, project, status_before, now).await?;
    let pending = PendingEffect::of(execution.state.phase.pending(), pending_before.as_ref(), now);
    // A node that stops begins no slow effect: another node, or this one after its restart,
    // continues from here.
    let abandons = pending.as_ref().is_some_and(PendingEffect::can_abandon) && ctx.stopping.is_cancelled();
    let due = if pending.is_some() { Some(IMMEDIATELY) } else { execution.state.due_at() };
    release(tx, project, &conversation, Some(execution.id), due, pending.is_some() && !abandons).await?;
    let Some(pending) = pending.filter(|_| !abandons) else { return Ok(None) };
    let Some(agent) = execution.agent else { return Ok(None) };
    let LoadedExecution { id, state, step_no, .. } = execution;
    Ok(Some(ActiveTurn { project, conversation, execution: id, agent, state, step_no, pending }))
}

/// Stores execution and due time, and releases the lease unless `keep`.
pub(super) async fn release(
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: &ConversationRow,
    execution: Option<ExecutionId>,
    due_at: Option<Timestamp>,
    keep: bool,
) -> Result<()> {
    let execution = execution.or(conversation.execution_id);
    // The row has these values already, and its epoch was checked when this transaction locked it.
    if keep
        && execution == conversation.execution_id
        && due_at == conversation.due_at
        && conversation.burst_started_at.is_none()
    {
        return Ok(());
    }
    conversations::release(tx, project, conversation.id, conversation.epoch, Release { execution, due_at, keep }).await
}
