//! People take conversations over, give them back and close them, and what that means for the agent.
//!
//! The conversation's row says whose it is, and every step of an agent, every intent to send and every attempt looks at
//! that row or was withdrawn by the commit that changed it. So the agent is silent from that commit on, whatever it was
//! doing and on whichever node. What it must hear of waits in the mailbox (`turn/mailbox.rs`).

use crate::{Context, delivery, mailbox::mail};
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
    Result, Tx, conversation_assignments,
    conversations::{self, ConversationRow},
    events, executions, mailbox,
    messages::{self, StatusChange},
    outbox,
};

/// What a send that was withdrawn failed with.
const TAKEN_OVER: &str = "taken_over";

/// Whether somebody else than the agent may write in a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Floor {
    /// The agent has it.
    Agents,
    /// It is free, or a person has it; the agent is told what is said there, if it will answer again.
    People { agent_hears: bool },
}

/// Who has the floor in a conversation. Its row must be locked.
pub async fn floor(tx: &mut Tx<'_>, project: ProjectId, conversation: &ConversationRow) -> Result<Floor> {
    let live = live(tx, project, conversation).await?;
    Ok(match live {
        _ if conversation.is_assigned() => {
            Floor::People { agent_hears: live.is_some() || conversation.agent_id.is_some() }
        }
        Some(ExecutionStatus::Handoff) => Floor::People { agent_hears: true },
        Some(_) => Floor::Agents,
        None => Floor::People { agent_hears: false },
    })
}

/// Where the conversation's execution stands, unless it is over.
async fn live(tx: &mut Tx<'_>, project: ProjectId, conversation: &ConversationRow) -> Result<Option<ExecutionStatus>> {
    let Some(id) = conversation.execution_id else { return Ok(None) };
    let row = executions::find(tx, project, id).await?;
    Ok(row.map(|row| row.status).filter(|status| !status.is_over()))
}

/// Gives a conversation, whose row is locked, to a person: the agent says nothing from now on.
pub async fn begin(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: &ConversationRow,
    user: UserId,
    now: Timestamp,
) -> Result<()> {
    conversations::assign(tx, project, conversation.id, Some(user)).await?;
    withdraw(tx, project, conversation.id, now).await?;
    let status = live(tx, project, conversation).await?;
    if status.is_some_and(|status| status.may_be_set(ExecutionStatus::Handoff)) {
        let id = format!("assigned:{}", ctx.new_uuid());
        let input = Input::SetStatus { id, status: ExecutionStatus::Handoff, reason: "assigned".into() };
        tell(tx, project, conversation, &input, now).await?;
    }
    tell_people(ctx, tx, project, conversation, &json!({"assignee_id": user}), now).await
}

/// Gives the conversation of a person to another one.
pub async fn pass_on(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: &ConversationRow,
    user: UserId,
    now: Timestamp,
) -> Result<()> {
    conversations::assign(tx, project, conversation.id, Some(user)).await?;
    tell_people(ctx, tx, project, conversation, &json!({"assignee_id": user}), now).await
}

/// Gives a conversation, whose row is locked, back. An agent that was handed over goes on where it was; where none is at
/// work, what was said meanwhile is waiting for one.
pub async fn end(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: &ConversationRow,
    now: Timestamp,
) -> Result<()> {
    conversations::assign(tx, project, conversation.id, None).await?;
    match live(tx, project, conversation).await? {
        None | Some(ExecutionStatus::Started) => {
            conversations::wake(tx, project, conversation.id, now, None).await?;
        }
        // On its way into the handoff, or in it.
        Some(_) => {
            let id = format!("released:{}", ctx.new_uuid());
            tell(tx, project, conversation, &Input::Resume { id, message: None, interrupt: None }, now).await?;
        }
    }
    tell_people(ctx, tx, project, conversation, &json!({"assignee_id": null}), now).await
}

/// Ends a conversation whose row is locked: its assignment is released, and its execution ends at the next safe point, or
/// is stopped.
pub async fn close(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: &ConversationRow,
    (reason, stop): (&str, bool),
    now: Timestamp,
) -> Result<()> {
    let id = format!("closed:{}", ctx.new_uuid());
    let input = match live(tx, project, conversation).await? {
        None => None,
        Some(status) if !stop && status.may_be_set(ExecutionStatus::Ended) => {
            Some(Input::SetStatus { id, status: ExecutionStatus::Ended, reason: reason.into() })
        }
        Some(_) => Some(Input::Stop { id, reason: reason.into() }),
    };
    match input {
        Some(input) => tell(tx, project, conversation, &input, now).await?,
        // What waited for an agent waits for nobody any more.
        None => conversations::wake(tx, project, conversation.id, now, None).await?,
    }
    conversation_assignments::release(tx, project, conversation.id, now).await?;
    conversations::end(tx, project, conversation.id, now).await?;
    tell_people(ctx, tx, project, conversation, &json!({"status": "ended"}), now).await
}

/// Opens an ended conversation, whose row is locked, again. The next thing that the person says finds its agent.
pub async fn reopen(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: &ConversationRow,
    now: Timestamp,
) -> Result<()> {
    conversations::reopen(tx, project, conversation.id, now).await?;
    tell_people(ctx, tx, project, conversation, &json!({"status": "active"}), now).await
}

/// A send that could not be made waits for another try: not where a person has taken over meanwhile.
pub async fn withdraw_if_assigned(
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: ConversationId,
    now: Timestamp,
) -> Result<()> {
    let row = conversations::lock(tx, project, conversation, now).await?;
    match row.filter(ConversationRow::is_assigned) {
        Some(row) => withdraw(tx, project, row.id, now).await,
        None => Ok(()),
    }
}

/// What the agent said and what has not left stays here. The execution learns of it as of any failed send.
async fn withdraw(tx: &mut Tx<'_>, project: ProjectId, conversation: ConversationId, now: Timestamp) -> Result<()> {
    let message = "a person has taken the conversation over";
    let error = json!({"code": TAKEN_OVER, "message": message}).to_string();
    for row in outbox::withdraw(tx, project, conversation, &error, now).await? {
        let change = StatusChange { to: Delivery::Failed, at: now, error: Some(&error), wamid: None, now };
        messages::advance(tx, project, row.message_id, &change).await?;
        let told = SendOutcome::Failed { code: TAKEN_OVER.into(), message: message.into() };
        delivery::post(tx, project, &row, told, now).await?;
    }
    Ok(())
}

async fn tell(
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: &ConversationRow,
    input: &Input,
    now: Timestamp,
) -> Result<()> {
    let (Input::SetStatus { id, .. } | Input::Stop { id, .. } | Input::Resume { id, .. }) = input else {
        return Ok(());
    };
    // Withdrawn sends have taken places since the row was read.
    let Some(row) = conversations::lock(tx, project, conversation.id, now).await? else { return Ok(()) };
    mailbox::put(tx, project, conversation.id, &mail(row.next_seq, id.clone(), input)?).await?;
    conversations::wake(tx, project, conversation.id, now, None).await
}

async fn tell_people(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: &ConversationRow,
    what: &serde_json::Value,
    now: Timestamp,
) -> Result<()> {
    let (id, object, body) = (ctx.new_uuid(), conversation.id.uuid(), what.to_string());
    events::append(&mut tx.scope(project, now), id, Event::ConversationUpdated, object, &body).await
}
