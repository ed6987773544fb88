//! Stores an inbound message: dedupe, contact, conversation, message, mailbox and due time, in the
//! caller's transaction.

use crate::{
    Context,
    derived_id::derived_id,
    mailbox, media,
    unanswered::{Cause, Unanswered},
};
use domain::{
    Id, Span, Timestamp,
    event::Event,
    ids::{AgentId, CustomerId, ProjectId, WhatsappConfigId},
    message::{Direction, MessageOrigin},
    phone::{self, Phone},
};
use engine::Input;
use gateways::whatsapp::webhook::InboundMessage;
use serde_json::json;
use store::{
    Result, Tx, agent_whatsapp_configs, agents,
    contacts::{self, Identity, IdentityKind, Seen},
    conversations::{self, ConversationRow, Touch},
    events,
    messages::{self, NewMessage},
    whatsapp_configs,
};

/// Kinds that an agent answers. Others are only stored.
const ANSWERED: [&str; 8] = ["text", "button", "interactive", "image", "video", "audio", "document", "location"];

/// Kinds that a log line names.
const KINDS: [&str; 14] = [
    "text",
    "button",
    "interactive",
    "image",
    "video",
    "audio",
    "document",
    "location",
    "sticker",
    "contacts",
    "order",
    "reaction",
    "system",
    "unsupported",
];

/// Without a usable number or a user id there is no contact to store the message for.
pub(super) fn has_sender(message: &InboundMessage) -> bool {
    message.user_id.is_some() || sender_phone(message).is_some()
}

/// Stores a message to a project's own number.
pub(super) async fn store(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    config: WhatsappConfigId,
    message: &InboundMessage,
) -> Result<()> {
    if !is_first(ctx, tx, project, message).await? {
        return Ok(());
    }
    let number = whatsapp_configs::find(tx, project, config).await?;
    let owner = ConversationOwner {
        project,
        config: Some(config),
        customer: number.as_ref().and_then(|number| number.customer_id),
        agent: agent_whatsapp_configs::answers_on(tx, project, config).await?,
    };
    let Some(conversation) = store_in_conversation(ctx, tx, &owner, message).await? else { return Ok(()) };
    if number.is_some_and(|number| number.inbound_processing_enabled) {
        return queue_for_agent(ctx, tx, project, &conversation, message).await;
    }
    unanswered(ctx, project, &conversation, Cause::NumberOff, message);
    Ok(())
}

/// Records the message's id. Returns false if the message was stored before: then nothing more must
/// happen.
pub(super) async fn is_first(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    message: &InboundMessage,
) -> Result<bool> {
    let new = messages::first_seen(tx, project, &message.phone_number_id, &message.wamid, ctx.now()).await?;
    if !new {
        metrics::counter!("chasqui_duplicates_total", "kind" => "inbound").increment(1);
    }
    Ok(new)
}

/// Owner of a conversation.
pub(super) struct ConversationOwner {
    pub project: ProjectId,
    pub config: Option<WhatsappConfigId>,
    /// The customer of the number.
    pub customer: Option<CustomerId>,
    /// The agent that is to answer from now on; `None` leaves the conversation's agent as it is.
    pub agent: Option<AgentId>,
}

/// The sender's number, if it is valid.
pub(super) fn sender_phone(message: &InboundMessage) -> Option<Phone> {
    message.from.as_deref().and_then(|number| phone::normalise(number).ok())
}

/// Finds or creates the contact and the conversation, and stores the message. `None` without a
/// sender.
pub(super) async fn store_in_conversation(
    ctx: &Context,
    tx: &mut Tx<'_>,
    owner: &ConversationOwner,
    message: &InboundMessage,
) -> Result<Option<ConversationRow>> {
    let (now, project) = (ctx.now(), owner.project);
    let phone = sender_phone(message);
    let scope = message.waba_id.clone().unwrap_or_default();
    let mut identities = Vec::new();
    if let Some(user) = &message.user_id {
        identities.push(Identity { kind: IdentityKind::Bsuid, scope, value: user.clone() });
    }
    if let Some(phone) = &phone {
        identities.push(Identity::phone_number(phone.canonical()));
    }
    let Some(first) = identities.first() else { return Ok(None) };
    let name = format!("{}/{}/{}", first.kind, first.scope, first.value);
    let new_contact = Id::from_uuid(derived_id(project, "contact", &name));
    let seen = Seen {
        profile_name: message.profile_name.clone(),
        wa_id: message.from.clone(),
        user_id: message.user_id.clone(),
        customer: owner.customer,
    };
    let contact = contacts::ensure(tx, project, &identities, new_contact, &seen, now).await?;
    // A time in the future would keep the service window open for longer than Meta does.
    let at = message.timestamp.unwrap_or(now).min(now);
    let shown = phone.as_ref().map(Phone::e164);
    let touch = Touch {
        new_id: ctx.new_id(),
        phone_number_id: &message.phone_number_id,
        contact,
        config: owner.config,
        phone_number: shown.as_deref(),
        contact_name: message.profile_name.as_deref(),
        // Set even if it is none: the agent may have been unlinked from the number since the last
        // message.
        agent: (owner.config.is_some() || owner.agent.is_some()).then_some(owner.agent),
        inbound_at: Some(at),
        now,
    };
    let conversation = conversations::touch(tx, project, &touch).await?;
    let raw = message.raw.to_string();
    let new = NewMessage {
        id: ctx.new_id(),
        seq: conversation.next_seq,
        direction: Direction::Inbound,
        origin: MessageOrigin::Contact,
        kind: &message.kind,
        content: message.text.as_deref().unwrap_or_default(),
        raw: Some(&raw),
        wamid: Some(&message.wamid),
        wa_timestamp: Some(at),
        execution: None,
        now,
    };
    messages::insert(tx, project, conversation.id, &new).await?;
    media::expect(tx, project, new.id, message, now).await?;
    let body = json!({"conversation_id": conversation.id, "direction": "inbound", "kind": message.kind}).to_string();
    let (id, object) = (ctx.new_uuid(), new.id.uuid());
    events::append(&mut tx.scope(project, now), id, Event::MessageReceived, object, &body).await?;
    Ok(Some(conversation))
}

/// Puts the message into the mailbox and makes the conversation due after the debounce.
pub(super) async fn queue_for_agent(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: &ConversationRow,
    message: &InboundMessage,
) -> Result<()> {
    let now = ctx.now();
    if conversation.agent_id.is_none() && conversation.execution_id.is_none() {
        unanswered(ctx, project, conversation, Cause::NoAgent, message);
        return Ok(());
    }
    // A message to a group is not answered in private.
    if message.group_id.is_some() || !ANSWERED.contains(&message.kind.as_str()) {
        unanswered(ctx, project, conversation, Cause::KindNotAnswered, message);
        return Ok(());
    }
    let text = match message.text.as_deref() {
        Some(text) if !text.trim().is_empty() => text.to_owned(),
        _ => format!("[{}]", message.kind),
    };
    let input = Input::Message { id: message.wamid.clone(), text };
    mailbox::put(tx, project, conversation, &message.wamid, &input).await?;
    let debounce = debounce(tx, project, conversation, message).await?;
    let burst = conversation.burst_started_at.unwrap_or(now);
    let at = due_at(burst, now, debounce);
    // A burst delays only itself: work that is due for another reason stays due then and includes
    // the burst.
    let other = conversation.due_at.filter(|_| conversation.burst_started_at.is_none());
    match other {
        Some(due) => conversations::wake(tx, project, conversation.id, at.min(due), None).await,
        None => conversations::wake(tx, project, conversation.id, at, Some(burst)).await,
    }
}

fn unanswered(
    ctx: &Context,
    project: ProjectId,
    conversation: &ConversationRow,
    cause: Cause,
    message: &InboundMessage,
) {
    // A kind comes from outside: an unknown one must not add a time series.
    let code = KINDS.into_iter().find(|kind| *kind == message.kind).unwrap_or("other");
    let (agent, execution) = (conversation.agent_id, conversation.execution_id);
    Unanswered { cause, code, project, agent, execution, conversation: Some(conversation.id) }.report(ctx);
}

async fn debounce(
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: &ConversationRow,
    message: &InboundMessage,
) -> Result<Span> {
    // A is_button_reply on a button is a complete answer.
    let is_button_reply = matches!(message.kind.as_str(), "button" | "interactive");
    let Some(agent) = conversation.agent_id.filter(|_| !is_button_reply) else { return Ok(Span::ZERO) };
    Ok(Span::from_secs(agents::debounce_seconds(tx, project, agent).await?.unwrap_or(0)))
}

/// Each message of a burst delays the answer, up to five debounces after the first one.
pub fn due_at(burst_started: Timestamp, latest: Timestamp, debounce: Span) -> Timestamp {
    (latest + debounce).min(burst_started + debounce * 5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn burst_is_answered_at_most_five_debounces_after_its_start() {
        let at = Timestamp::from_secs;
        let debounce = Span::from_secs(2);
        assert_eq!(due_at(at(100), at(100), debounce), at(102));
        assert_eq!(due_at(at(100), at(107), debounce), at(109));
        assert_eq!(due_at(at(100), at(109), debounce), at(110));
        assert_eq!(due_at(at(100), at(100), Span::ZERO), at(100));
    }
}
