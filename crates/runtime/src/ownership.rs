//! Ownership of a conversation: the agent, or a person who has taken it over or replied on the shop's
//! phone. It decides who may send.
//!
//! The conversation's row holds the assignment and the pause after a reply on the phone. Every step of an agent, every new outbox entry and
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
    job::JobKind,
    message::{Delivery, Direction},
    phone_reply::NEVER_ENDS,
};
use engine::{Input, SendOutcome};
use serde_json::json;
use store::{
    Error, Result, Tx, contacts, conversation_assignments,
    conversations::{self, ConversationRow},
    executions,
    jobs::{self, NewJob},
    messages::{self, StatusChange},
    outbox,
};

/// Reason of a handoff that a reply on the shop's phone caused.
const PHONE_REPLY: &str = "phone_reply";

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
pub async fn owner(
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: &ConversationRow,
    now: Timestamp,
) -> Result<Owner> {
    let live = live_status(tx, project, conversation).await?;
    Ok(match live {
        _ if conversation.is_held(now) => {
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
    hand_off(ctx, tx, project, conversation, "assigned", now).await?;
    append_updated_event(ctx, tx, project, conversation, &json!({"assignee_id": user})).await
}

/// Hands the conversation's execution off, if one is live.
async fn hand_off(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: &ConversationRow,
    reason: &str,
    now: Timestamp,
) -> Result<()> {
    let status = live_status(tx, project, conversation).await?;
    if status.is_some_and(|status| status.may_be_set(ExecutionStatus::Handoff)) {
        let id = format!("{reason}:{}", ctx.new_uuid());
        let input = Input::SetStatus { id, status: ExecutionStatus::Handoff, reason: reason.into() };
        deliver_to_execution(tx, project, conversation, &input, now).await?;
    }
    Ok(())
}

/// Silences the agent of a conversation, whose row is locked, until a time: as [`assign`], without an
/// assignee. A person has replied on the shop's phone.
pub(crate) async fn pause(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: &ConversationRow,
    until: Timestamp,
    now: Timestamp,
) -> Result<()> {
    conversations::pause_agent(tx, project, conversation.id, Some(until)).await?;
    withdraw_sends(ctx, tx, project, conversation.id, now).await?;
    hand_off(ctx, tx, project, conversation, PHONE_REPLY, now).await?;
    if until != NEVER_ENDS {
        let key = conversation.id.to_string();
        let (id, kind) = (ctx.new_uuid(), JobKind::PhoneReplyPause);
        let job = NewJob { id, kind, key: &key, payload: &key, run_at: until };
        jobs::put(&mut tx.scope(project, now), job).await?;
    }
    append_updated_event(ctx, tx, project, conversation, &json!({"agent_paused": true})).await
}

/// Ends the pause of a conversation, whose row is locked, without making it due: the execution that
/// the pause handed off resumes at its next step.
pub(crate) async fn end_pause(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: &ConversationRow,
    now: Timestamp,
) -> Result<()> {
    conversations::pause_agent(tx, project, conversation.id, None).await?;
    contacts::disclose_again(tx, project, conversation.contact_id).await?;
    let execution = match conversation.execution_id {
        Some(id) => executions::find(tx, project, id).await?,
        None => None,
    };
    let resumes = execution.is_some_and(|row| match row.status {
        // A handoff that the agent or a person asked for goes on.
        ExecutionStatus::Handoff => row.handoff_reason.as_deref() == Some(PHONE_REPLY),
        // It has not reached the handoff yet.
        status => !status.is_over() && status != ExecutionStatus::Started,
    });
    if resumes && let Some(row) = conversations::lock(tx, project, conversation.id, now).await? {
        let key = format!("phone_reply_over:{}", ctx.new_uuid());
        let input = Input::Resume { id: key.clone(), message: None, interrupt: None };
        mailbox::put(tx, project, &row, &key, &input).await?;
    }
    append_updated_event(ctx, tx, project, conversation, &json!({"agent_paused": false})).await
}

/// Ends a pause whose time is over, if the contact waits for an answer. Otherwise the agent continues
/// with the contact's next message. The time to look again, if the pause was prolonged.
pub(crate) async fn pause_is_due(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    payload: &str,
    now: Timestamp,
) -> Result<Option<Timestamp>> {
    let id = payload.parse().map_err(|_| Error::Damaged { what: "job", why: "not a conversation id".into() })?;
    let Some(row) = conversations::lock(tx, project, id, now).await? else { return Ok(None) };
    let Some(until) = row.agent_paused_until.filter(|until| *until != NEVER_ENDS) else { return Ok(None) };
    if until > now {
        return Ok(Some(until));
    }
    let waits = live_status(tx, project, &row).await? == Some(ExecutionStatus::Started)
        || messages::newest_direction(tx, project, id).await? == Some(Direction::Inbound);
    if waits {
        end_pause(ctx, tx, project, &row, now).await?;
        conversations::wake(tx, project, id, now, None).await?;
    }
    Ok(None)
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

/// Follows up on a conversation that was ended because its contact has another open one with the
/// number, which gets the assignment, a handoff or a pause. A turn that is under way or due still
/// answers; an execution that waits ends.
pub(crate) async fn continue_in(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    ended: &ConversationRow,
    other: Option<&ConversationRow>,
    now: Timestamp,
) -> Result<()> {
    let status = live_status(tx, project, ended).await?;
    match (ended.assignee_id, other) {
        (Some(user), Some(other)) if !other.is_assigned() => {
            conversation_assignments::move_to(tx, project, ended.id, other.id, now).await?;
            assign(ctx, tx, project, other, user, now).await?;
        }
        (Some(_), _) => conversation_assignments::release(tx, project, ended.id, now).await?,
        (None, Some(other)) if !other.is_held(now) => match ended.agent_paused_until.filter(|until| *until > now) {
            Some(until) => pause(ctx, tx, project, other, until, now).await?,
            // The contact waits for a person.
            None if status == Some(ExecutionStatus::Handoff) => {
                hand_off(ctx, tx, project, other, "contact_joined", now).await?;
            }
            None => {}
        },
        (None, _) => {}
    }
    if ended.due_at.is_none() && status.is_some_and(|status| status.may_be_set(ExecutionStatus::Ended)) {
        let id = format!("joined:{}", ctx.new_uuid());
        let input =
            Input::SetStatus { id, status: ExecutionStatus::Ended, reason: "contact joined with another".into() };
        deliver_to_execution(tx, project, ended, &input, now).await?;
    }
    hooks::conversation_ended(ctx, tx, project, ended, now).await?;
    append_updated_event(ctx, tx, project, ended, &json!({"status": "ended"})).await
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

/// Withdraws a send that was queued again, if the agent has been silenced since.
pub(crate) async fn withdraw_if_held(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: ConversationId,
    now: Timestamp,
) -> Result<()> {
    let row = conversations::lock(tx, project, conversation, now).await?;
    match row.filter(|row| row.is_held(now)) {
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
