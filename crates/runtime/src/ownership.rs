//! Ownership of a conversation: the agent, or a person who has taken it over. It decides who may
//! send.
//!
//! The conversation's row holds the assignment. Every step of an agent, every new outbox entry and
//! every attempt checks that row, or was withdrawn by the commit that changed it. So the agent
//! sends nothing from that commit on, on any node. Inputs that the agent is to receive later wait
//! in the mailbox (`turn/step_inputs.rs`).

use crate::{
    Context, events, hooks,
    mailbox::{self, deliver},
    outbox::deliver_outcome,
};
use domain::{
    Timestamp,
    event::Event,
    execution::ExecutionStatus,
    ids::{ConversationId, ProjectId, UserId},
    message::Delivery,
};
use engine::{Input, SendOutcome};
use serde_json::json;
use store::{
    Result, Tx, contacts, conversation_assignments,
    conversations::{self, ConversationRow},
    executions,
    messages::{self, StatusChange},
    outbox,
};

/// The error code of a withdrawn send.
const TAKEN_OVER: &str = "taken_over";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    Agent,
    /// A colleague, or no owner. With `notify_agent`, an agent will answer later and is to receive
    /// what people write.
    People {
        notify_agent: bool,
    },
}

/// The conversation's row must be locked.
pub async fn owner(tx: &mut Tx<'_>, project: ProjectId, conversation: &ConversationRow) -> Result<Owner> {
    let live = live_status(tx, project, conversation).await?;
    Ok(match live {
        _ if conversation.is_assigned() => {
            Owner::People { notify_agent: live.is_some() || conversation.agent_id.is_some() }
        }
        Some(ExecutionStatus::Handoff) => Owner::People { notify_agent: true },
        Some(_) => Owner::Agent,
        None => Owner::People { notify_agent: false },
    })
}

/// Gives a live execution a message that was sent in the agent's place, without making its
/// conversation due.
pub async fn notify_agent(
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: &ConversationRow,
    source_key: &str,
    text: &str,
) -> Result<()> {
    if live_status(tx, project, conversation).await?.is_none() {
        return Ok(());
    }
    let input = Input::ExternalMessage { id: source_key.to_owned(), text: text.to_owned() };
    mailbox::put(tx, project, conversation, source_key, &input).await
}

/// The status of the conversation's execution, unless it is over.
async fn live_status(
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: &ConversationRow,
) -> Result<Option<ExecutionStatus>> {
    let Some(id) = conversation.execution_id else { return Ok(None) };
    let row = executions::find(tx, project, id).await?;
    Ok(row.map(|row| row.status).filter(|status| !status.is_over()))
}

/// Assigns a conversation, whose row is locked, to a person: withdraws the agent's queued sends and
/// hands its execution off.
pub async fn assign(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: &ConversationRow,
    user: UserId,
    now: Timestamp,
) -> Result<()> {
    conversations::assign(tx, project, conversation.id, Some(user)).await?;
    withdraw_sends(ctx, tx, project, conversation.id, now).await?;
    let status = live_status(tx, project, conversation).await?;
    if status.is_some_and(|status| status.may_be_set(ExecutionStatus::Handoff)) {
        let id = format!("assigned:{}", ctx.new_uuid());
        let input = Input::SetStatus { id, status: ExecutionStatus::Handoff, reason: "assigned".into() };
        deliver_to_execution(tx, project, conversation, &input, now).await?;
    }
    append_updated_event(ctx, tx, project, conversation, &json!({"assignee_id": user})).await
}

/// Assigns the conversation of one person to another.
pub async fn reassign(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: &ConversationRow,
    user: UserId,
) -> Result<()> {
    conversations::assign(tx, project, conversation.id, Some(user)).await?;
    append_updated_event(ctx, tx, project, conversation, &json!({"assignee_id": user})).await
}

/// Ends the assignment of a conversation, whose row is locked. An execution in handoff resumes;
/// without one, messages that arrived meanwhile wait for an agent.
pub async fn release(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: &ConversationRow,
    now: Timestamp,
) -> Result<()> {
    conversations::assign(tx, project, conversation.id, None).await?;
    contacts::disclose_again(tx, project, conversation.contact_id).await?;
    match live_status(tx, project, conversation).await? {
        None | Some(ExecutionStatus::Started) => {
            conversations::wake(tx, project, conversation.id, now, None).await?;
        }
        // In handoff, or about to be.
        Some(_) => {
            let id = format!("released:{}", ctx.new_uuid());
            let input = Input::Resume { id, message: None, interrupt: None };
            deliver_to_execution(tx, project, conversation, &input, now).await?;
        }
    }
    append_updated_event(ctx, tx, project, conversation, &json!({"assignee_id": null})).await
}

/// Ends a conversation, whose row is locked, and its assignment. Its execution ends at the next
/// safe point, or is stopped at once with `stop`.
pub async fn close(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: &ConversationRow,
    reason: &str,
    stop: bool,
    now: Timestamp,
) -> Result<()> {
    let id = format!("closed:{}", ctx.new_uuid());
    let input = match live_status(tx, project, conversation).await? {
        None => None,
        Some(status) if !stop && status.may_be_set(ExecutionStatus::Ended) => {
            Some(Input::SetStatus { id, status: ExecutionStatus::Ended, reason: reason.into() })
        }
        Some(_) => Some(Input::Stop { id, reason: reason.into() }),
    };
    match input {
        Some(input) => deliver_to_execution(tx, project, conversation, &input, now).await?,
        // Inputs that waited for an agent are consumed by the next step.
        None => conversations::wake(tx, project, conversation.id, now, None).await?,
    }
    conversation_assignments::release(tx, project, conversation.id, now).await?;
    conversations::end(tx, project, conversation.id, now).await?;
    hooks::conversation_ended(ctx, tx, project, conversation, now).await?;
    append_updated_event(ctx, tx, project, conversation, &json!({"status": "ended"})).await
}

/// Reopens an ended conversation, whose row is locked. The contact's next message reaches its
/// agent.
pub async fn reopen(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: &ConversationRow,
    now: Timestamp,
) -> Result<()> {
    conversations::reopen(tx, project, conversation.id, now).await?;
    append_updated_event(ctx, tx, project, conversation, &json!({"status": "active"})).await
}

/// Withdraws a send that was queued again, if a person has taken the conversation over since.
pub(crate) async fn withdraw_if_assigned(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: ConversationId,
    now: Timestamp,
) -> Result<()> {
    let row = conversations::lock(tx, project, conversation, now).await?;
    match row.filter(ConversationRow::is_assigned) {
        Some(row) => withdraw_sends(ctx, tx, project, row.id, now).await,
        None => Ok(()),
    }
}

/// Fails the agent's queued messages. The execution gets the outcome as of any failed send.
async fn withdraw_sends(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: ConversationId,
    now: Timestamp,
) -> Result<()> {
    let message = "a person has taken the conversation over";
    let error = json!({"code": TAKEN_OVER, "message": message}).to_string();
    for row in outbox::withdraw(tx, project, conversation, &error, now).await? {
        let change = StatusChange { to: Delivery::Failed, at: now, error: Some(&error), wamid: None, now };
        messages::advance(tx, project, row.message_id, &change).await?;
        let body = json!({"status": Delivery::Failed.as_str(), "conversation_id": conversation});
        events::append(ctx, tx, project, Event::MessageStatus, row.message_id.uuid(), &body).await?;
        hooks::message_status(ctx, tx, project, conversation, row.message_id, Delivery::Failed, now).await?;
        let outcome = SendOutcome::Failed { code: TAKEN_OVER.into(), message: message.into() };
        deliver_outcome(tx, project, &row, outcome, now).await?;
    }
    Ok(())
}

async fn deliver_to_execution(
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: &ConversationRow,
    input: &Input,
    now: Timestamp,
) -> Result<()> {
    let (Input::SetStatus { id, .. } | Input::Stop { id, .. } | Input::Resume { id, .. }) = input else {
        return Ok(());
    };
    // Withdrawn sends have used sequence numbers since the row was read.
    let Some(row) = conversations::lock(tx, project, conversation.id, now).await? else { return Ok(()) };
    deliver(tx, project, &row, id, input, now).await
}

async fn append_updated_event(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: &ConversationRow,
    changes: &serde_json::Value,
) -> Result<()> {
    events::append(ctx, tx, project, Event::ConversationUpdated, conversation.id.uuid(), changes).await
}
