//! Settles an attempt: the entry, its message, and the execution that waits for the outcome, in one
//! commit.

use super::decide::outcome;
use crate::{
    Context, events, failpoint, hooks,
    json::from_json,
    media::is_media,
    outbox::{EntryContent, Payload, deliver_outcome},
    ownership,
    turn::{ActiveTurn, Claim, step},
    unanswered::{Cause, Unanswered},
};
use domain::{
    Span, Timestamp,
    event::Event,
    ids::{OutboxId, ProjectId},
    message::{Delivery, MessageStatus},
};
use engine::{Input, SendOutcome};
use serde_json::json;
use store::{
    Error, Tx, conversations, executions,
    messages::{self, StatusChange},
    outbox::{self, OutboxRow, OutboxState, Settlement},
    transact, uploads,
};

/// Longest wait of the sends after a file for the file's status.
const FILE_LEAD: Span = Span::from_secs(4);

/// Settles an attempt. If no worker holds the conversation and its turn may continue, it does in the
/// same commit and is returned.
pub(super) async fn settle(
    ctx: &Context,
    project: ProjectId,
    row: OutboxRow,
    settlement: Settlement,
    may_continue: bool,
) -> store::Result<Option<ActiveTurn>> {
    let settled = transact!(ctx.store, "outbox.settle", tx => {
        let now = ctx.now();
        let (row, outcome) = settle_entry(ctx, tx, project, &row, &settlement, now).await?;
        let turn = match outcome {
            Some(outcome) if may_continue => resume(ctx, tx, project, &row, outcome, now).await?,
            Some(outcome) => deliver_outcome(tx, project, &row, outcome, now).await.map(|()| None)?,
            None => None,
        };
        let unanswered = unanswered(tx, project, &row, &settlement).await?;
        failpoint::reach("settle.commit");
        Ok((turn, unanswered))
    });
    let error = match settled {
        Ok((turn, unanswered)) => {
            unanswered.inspect(|unanswered| unanswered.report(ctx));
            return Ok(turn);
        }
        Err(error @ Error::Damaged { .. }) => error,
        Err(error) => return Err(error),
    };
    tracing::error!(conversation = %row.conversation_id, %error, "turn cannot continue");
    // The turn must not roll WhatsApp's answer back, or the message would be sent again: the
    // outcome waits in the mailbox.
    let unanswered = transact!(ctx.store, "outbox.settle", tx => {
        let now = ctx.now();
        let (row, outcome) = settle_entry(ctx, tx, project, &row, &settlement, now).await?;
        if let Some(outcome) = outcome {
            deliver_outcome(tx, project, &row, outcome, now).await?;
        }
        let unanswered = unanswered(tx, project, &row, &settlement).await?;
        failpoint::reach("settle.commit");
        Ok(unanswered)
    })?;
    unanswered.inspect(|unanswered| unanswered.report(ctx));
    Ok(None)
}

/// Describes a settled entry whose message did not arrive for certain.
/// `None` if a status had already confirmed it.
async fn unanswered<'a>(
    tx: &mut Tx<'_>,
    project: ProjectId,
    row: &OutboxRow,
    settlement: &'a Settlement,
) -> store::Result<Option<Unanswered<'a>>> {
    let (cause, code) = match (row.state, settlement) {
        (OutboxState::Failed, Settlement::Failed { code, .. }) => (Cause::SendFailed, *code),
        (OutboxState::Unconfirmed, Settlement::Unconfirmed) => (Cause::SendUnconfirmed, ""),
        _ => return Ok(None),
    };
    let agent = match row.execution_id {
        Some(execution) => executions::find(tx, project, execution).await?.map(|execution| execution.agent_id),
        None => None,
    };
    let (execution, conversation) = (row.execution_id, Some(row.conversation_id));
    Ok(Some(Unanswered { cause, code, project, agent, execution, conversation }))
}

/// Settles an entry that ended the process repeatedly. Its outcome waits in the mailbox, because the
/// turn may be part of the cause.
pub(crate) async fn park(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    id: OutboxId,
    why: &str,
) -> store::Result<()> {
    let now = ctx.now();
    let Some(row) = outbox::seize(tx, project, id).await? else { return Ok(()) };
    let settlement = match row.state {
        OutboxState::Queued => Settlement::Failed { code: "send_failed", message: why.into() },
        // A request may have left.
        _ => Settlement::Unconfirmed,
    };
    let (row, outcome) = settle_entry(ctx, tx, project, &row, &settlement, now).await?;
    if let Some(unanswered) = unanswered(tx, project, &row, &settlement).await? {
        unanswered.report(ctx);
    }
    match outcome {
        Some(outcome) => deliver_outcome(tx, project, &row, outcome, now).await,
        None => Ok(()),
    }
}

/// Updates the attempt, the entry and the message. Returns the outcome for the execution, if the
/// entry is settled.
async fn settle_entry(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    row: &OutboxRow,
    settlement: &Settlement,
    now: Timestamp,
) -> store::Result<(OutboxRow, Option<SendOutcome>)> {
    // A status may have reported the message's id while the request was open; that is proof,
    // whatever the answer was.
    let confirmed = outbox::find(tx, project, row.id).await?.and_then(|row| row.wamid);
    let confirmed = confirmed.filter(|_| !matches!(settlement, Settlement::Accepted { .. }));
    let confirmed = confirmed.map(|wamid| Settlement::Accepted { wamid });
    let settlement = confirmed.as_ref().unwrap_or(settlement);
    let error = settlement.error();
    outbox::end_attempt(tx, project, row, settlement, now).await?;
    let row = outbox::settle(tx, project, row.id, row.epoch, settlement, now).await?;
    if settlement.state() == OutboxState::Queued && row.execution_id.is_some() {
        ownership::withdraw_if_held(ctx, tx, project, row.conversation_id, now).await?;
    }
    if let Settlement::Accepted { wamid } = settlement {
        let accepted = messages::accepted(tx, project, row.message_id, wamid, now).await?;
        // A file tends to appear after the text that follows it, so later sends wait for its
        // status.
        if accepted.is_some_and(|(kind, status)| is_media(&kind) && status == MessageStatus::Pending) {
            conversations::hold_sends(tx, project, row.conversation_id, now + FILE_LEAD).await?;
            outbox::hold(tx, project, row.conversation_id, now + FILE_LEAD).await?;
        }
    }
    if let Settlement::Failed { .. } = settlement {
        if let Ok(Payload { content: EntryContent::File { file }, .. }) = from_json("payload", &row.payload) {
            uploads::delete(tx, project, file.upload).await?;
        }
        let change = StatusChange { to: Delivery::Failed, at: now, error: error.as_deref(), wamid: None, now };
        messages::advance(tx, project, row.message_id, &change).await?;
        let body = json!({"status": Delivery::Failed.as_str(), "conversation_id": row.conversation_id});
        events::append(ctx, tx, project, Event::MessageStatus, row.message_id.uuid(), &body).await?;
        hooks::message_status(ctx, tx, project, row.conversation_id, row.message_id, Delivery::Failed, now).await?;
    }
    if matches!(settlement, Settlement::Unconfirmed) {
        let body = json!({"conversation_id": row.conversation_id});
        events::append(ctx, tx, project, Event::MessageUnconfirmed, row.message_id.uuid(), &body).await?;
    }
    let outcome = outcome(&row, settlement);
    Ok((row, outcome))
}

/// Feeds the outcome to the execution that waits for it: at once if no worker holds the
/// conversation, else through its mailbox, which the worker reads at the next step.
async fn resume(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    row: &OutboxRow,
    outcome: SendOutcome,
    now: Timestamp,
) -> store::Result<Option<ActiveTurn>> {
    let (Some(effect), Some(execution)) = (row.effect_id.clone(), row.execution_id) else { return Ok(None) };
    let Some(conversation) = conversations::claim_if_free(tx, project, row.conversation_id, &ctx.node).await? else {
        return deliver_outcome(tx, project, row, outcome, now).await.map(|()| None);
    };
    if conversation.execution_id == Some(execution) {
        let inputs = [Input::Sent { effect, outcome }];
        return step(ctx, tx, project, conversation, Claim::Continued, &inputs).await;
    }
    // The execution is over, and a newer one must not get its outcome.
    let (execution, due_at) = (conversation.execution_id, conversation.due_at);
    let release = conversations::Release { execution, due_at, keep: false };
    conversations::release(tx, project, conversation.id, conversation.epoch, release).await?;
    Ok(None)
}
