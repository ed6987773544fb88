//! Stores a message that a person wrote on the shop's phone, as WhatsApp echoes it, and silences the
//! agent of the conversation (docs/inbound-messages.md, "A person answers from the shop's phone").

use super::{
    early::{self, Early, Writer},
    messages::{ConversationOwner, is_first, known_contact, open_conversation},
};
use crate::{Context, events, hooks, mailbox, media, ownership};
use domain::{
    Timestamp,
    event::Event,
    for_agent,
    ids::{AgentId, ConversationId, MessageId, ProjectId, WhatsappConfigId},
    message::{Delivery, Direction, MessageOrigin},
    phone_reply::PhoneReplyPause,
    wording,
};
use engine::Input;
use gateways::whatsapp::webhook::InboundMessage;
use serde_json::json;
use store::{
    Result, Tx, agent_whatsapp_configs, agents,
    conversations::ConversationRow,
    executions,
    messages::{self, MessageRow, NewMessage, StatusChange},
    outbox, whatsapp_configs,
};

/// Kinds that are no answer to the contact: the agent goes on, and is not shown them.
const NO_ANSWER: [&str; 3] = ["reaction", "system", "request_welcome"];

/// Stores an echo of a project's own number. The conversation whose agent it silenced.
pub(super) async fn store_for_number(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    config: WhatsappConfigId,
    echo: &InboundMessage,
) -> Result<Option<ConversationId>> {
    if !is_first(ctx, tx, project, echo).await? {
        return Ok(None);
    }
    let number = whatsapp_configs::find(tx, project, config).await?;
    let owner = ConversationOwner {
        project,
        config: Some(config),
        customer: number.and_then(|number| number.customer_id),
        agent: agent_whatsapp_configs::answers_on(tx, project, config).await?,
    };
    store(ctx, tx, &owner, echo).await
}

/// Stores an echo that was not stored before. It opens no service window and starts no turn.
pub(super) async fn store(
    ctx: &Context,
    tx: &mut Tx<'_>,
    owner: &ConversationOwner,
    echo: &InboundMessage,
) -> Result<Option<ConversationId>> {
    let (now, project) = (ctx.now(), owner.project);
    // A message that the server sent itself keeps its own row.
    if let Some(contact) = known_contact(tx, project, echo).await?
        && messages::of_contact(tx, project, contact, &echo.phone_number_id, &echo.wamid).await?.is_some()
    {
        return Ok(None);
    }
    let (changed, change) = match early::take_early(tx, project, echo, Writer::Phone).await? {
        Some((changed, change)) => (Some(changed), Some(change)),
        None => (None, None),
    };
    let echo = changed.as_ref().unwrap_or(echo);
    let Some(conversation) = open_conversation(ctx, tx, owner, echo, None).await? else { return Ok(None) };
    // In this order: a send that is settled between the two reads is found by its id.
    let content = echo.text.as_deref().unwrap_or_default();
    if outbox::is_in_flight(tx, project, conversation.id, &echo.kind, content).await?
        || messages::of_wamid(tx, project, conversation.id, &echo.wamid).await?.is_some()
    {
        return Ok(None);
    }
    let id = insert(ctx, tx, project, &conversation, echo, now).await?;
    if let Some(change) = change {
        let is_deleted = matches!(change, Early::Deleted { .. });
        early::note_early(ctx, tx, project, &conversation, id, echo, change).await?;
        if is_deleted {
            return Ok(None);
        }
    }
    if NO_ANSWER.contains(&echo.kind.as_str()) || echo.group_id.is_some() {
        return Ok(None);
    }
    silence_agent(ctx, tx, project, &conversation, echo, now).await
}

async fn insert(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: &ConversationRow,
    echo: &InboundMessage,
    now: Timestamp,
) -> Result<MessageId> {
    let at = echo.timestamp.unwrap_or(now).min(now);
    let raw = echo.raw.to_string();
    let new = NewMessage {
        id: ctx.new_id(),
        seq: conversation.next_seq,
        direction: Direction::Outbound,
        origin: MessageOrigin::Phone,
        // The phone does not report which person wrote.
        author: None,
        kind: &echo.kind,
        content: echo.text.as_deref().unwrap_or_default(),
        raw: Some(&raw),
        wamid: Some(&echo.wamid),
        wa_timestamp: Some(at),
        execution: None,
        now,
    };
    messages::insert(tx, project, conversation.id, &new).await?;
    let sent = StatusChange { to: Delivery::Sent, at, error: None, wamid: None, now };
    messages::advance(tx, project, new.id, &sent).await?;
    media::expect(tx, project, new.id, echo, now).await?;
    let body = json!({"conversation_id": conversation.id, "kind": echo.kind, "origin": MessageOrigin::Phone.as_str()});
    events::append(ctx, tx, project, Event::MessageCreated, new.id.uuid(), &body).await?;
    hooks::message_status(ctx, tx, project, conversation.id, new.id, Delivery::Sent, now).await?;
    Ok(new.id)
}

/// Shows the reply to the agent, and pauses it by its policy. The conversation, if it is paused.
async fn silence_agent(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: &ConversationRow,
    echo: &InboundMessage,
    now: Timestamp,
) -> Result<Option<ConversationId>> {
    let Some(agent) = agent(tx, project, conversation).await? else { return Ok(None) };
    let content = echo.text.as_deref().unwrap_or_default();
    let text = wording::of_stored(content, &echo.kind, Some(&echo.raw.to_string()));
    let policy = PhoneReplyPause::of_limits(agents::limits(tx, project, agent).await?.as_deref());
    let until = policy.until(now).filter(|_| !conversation.is_assigned());
    if until.is_none() && !conversation.is_held(now) {
        // An execution that starts later reads it from the conversation.
        ownership::notify_agent(tx, project, conversation, &echo.wamid, &text).await?;
        return Ok(None);
    }
    // Waits for an agent: no execution starts during the pause.
    let input = Input::ExternalMessage { id: echo.wamid.clone(), text };
    mailbox::put(tx, project, conversation, &echo.wamid, &input).await?;
    match until {
        Some(until) => ownership::pause(ctx, tx, project, conversation, until, now).await?,
        None => return Ok(None),
    }
    Ok(Some(conversation.id))
}

/// The agent of the live execution, else the one that answers new messages.
async fn agent(tx: &mut Tx<'_>, project: ProjectId, conversation: &ConversationRow) -> Result<Option<AgentId>> {
    let row = match conversation.execution_id {
        Some(id) => executions::find(tx, project, id).await?,
        None => None,
    };
    Ok(row.filter(|row| !row.status.is_over()).map(|row| row.agent_id).or(conversation.agent_id))
}

/// Shows an edit of a reply to the agent, without starting a turn: in place of the earlier text if
/// the agent has not read that. `edit` is Meta's id of the edit.
pub(super) async fn show_edit(
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: &ConversationRow,
    row: &MessageRow,
    content: &str,
    edit: &str,
) -> Result<()> {
    let id = row.wamid.clone().unwrap_or_default();
    let unread = Input::ExternalMessage { id: id.clone(), text: content.to_owned() };
    if mailbox::replace_message(tx, project, conversation.id, &id, &unread).await? {
        return Ok(());
    }
    let earlier = wording::of_stored(&row.content, &row.kind, row.raw.as_deref());
    ownership::notify_agent(tx, project, conversation, edit, &for_agent::edited_reply(&earlier, content)).await
}
