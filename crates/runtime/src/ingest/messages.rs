//! Stores an inbound message: dedupe, contact, conversation, message, mailbox and due time, in the
//! caller's transaction.

use super::{
    early::{self, Early, Writer},
    people,
};
use crate::{
    Context,
    derived_id::derived_id,
    events, hooks, mailbox, media, ownership,
    unanswered::{Cause, Unanswered},
};
use domain::{
    Id, Span, Timestamp,
    event::Event,
    for_agent::{self, Quoted, Received},
    ids::{AgentId, ContactId, CustomerId, MessageId, ProjectId, WhatsappConfigId},
    message::{Direction, MessageOrigin},
    phone::{self, Phone},
    wording,
};
use engine::Input;
use gateways::whatsapp::webhook::InboundMessage;
use serde_json::json;
use store::{
    Result, Tx, agent_whatsapp_configs, agents,
    contacts::{self, Identity, Seen},
    conversations::{self, ConversationRow, Touch},
    messages::{self, NewMessage},
    projects, whatsapp_configs,
};

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

/// The kind of WhatsApp's notices about a contact.
const SYSTEM: &str = "system";

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
    let is_processed = number.is_some_and(|number| number.inbound_processing_enabled);
    store_and_queue(ctx, tx, &owner, is_processed, message).await
}

/// Stores a message with the change that came before it, and queues it for the agent if messages
/// are processed.
pub(super) async fn store_and_queue(
    ctx: &Context,
    tx: &mut Tx<'_>,
    owner: &ConversationOwner,
    is_processed: bool,
    message: &InboundMessage,
) -> Result<()> {
    let project = owner.project;
    let (changed, change) = match early::take_early(tx, project, message, Writer::Contact).await? {
        Some((changed, change)) => (Some(changed), Some(change)),
        None => (None, None),
    };
    let message = changed.as_ref().unwrap_or(message);
    let Some((conversation, id)) = store_in_conversation(ctx, tx, owner, message).await? else { return Ok(()) };
    if message.kind == SYSTEM {
        // It asks for nothing.
        return people::apply_notice(ctx, tx, project, conversation.contact_id, message).await;
    }
    if let Some(change) = change {
        let is_deleted = matches!(change, Early::Deleted { .. });
        early::note_early(ctx, tx, project, &conversation, id, message, change).await?;
        if is_deleted {
            return Ok(());
        }
    }
    if is_processed {
        return queue_for_agent(ctx, tx, project, &conversation, message, id).await;
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

/// The contact of a message, if it is stored.
pub(super) async fn known_contact(
    tx: &mut Tx<'_>,
    project: ProjectId,
    message: &InboundMessage,
) -> Result<Option<ContactId>> {
    let scope = message.waba_id.clone().unwrap_or_default();
    let user = message.user_id.as_ref().map(|value| Identity::user_id(scope, value));
    let phone = sender_phone(message).map(|phone| Identity::phone_number(phone.canonical()));
    for identity in user.into_iter().chain(phone) {
        if let Some(contact) = contacts::by_identity(tx, project, &identity).await? {
            return Ok(Some(contact));
        }
    }
    Ok(None)
}

/// Finds or creates the contact and its open conversation with the number, and takes the next place
/// in it. `inbound_at` opens the service window. `None` without a number or id of the contact.
pub(super) async fn open_conversation(
    ctx: &Context,
    tx: &mut Tx<'_>,
    owner: &ConversationOwner,
    message: &InboundMessage,
    inbound_at: Option<Timestamp>,
) -> Result<Option<ConversationRow>> {
    let (now, project) = (ctx.now(), owner.project);
    let phone = sender_phone(message);
    let scope = message.waba_id.clone().unwrap_or_default();
    let mut identities = Vec::new();
    if let Some(user) = &message.user_id {
        identities.push(Identity::user_id(scope, user));
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
    let met = contacts::see(tx, project, &identities, new_contact, &seen, now).await?;
    if let Some(twin) = met.twin {
        people::join(ctx, tx, project, twin, met.id).await?;
    }
    let contact = met.id;
    if met.changed {
        events::append(ctx, tx, project, Event::ContactUpdated, contact.uuid(), &json!({})).await?;
    }
    let shown = phone.as_ref().filter(|_| !met.by_former_number).map(Phone::e164);
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
        inbound_at,
        now,
    };
    let mut conversation = conversations::touch(tx, project, &touch).await?;
    if conversation.id == touch.new_id {
        if message.profile_name.is_none()
            && let Some(name) = contacts::find(tx, project, contact).await?.and_then(|contact| contact.profile_name)
        {
            conversations::name(tx, project, &message.phone_number_id, contact, &name).await?;
            conversation.contact_name = Some(name);
        }
        events::append(ctx, tx, project, Event::ConversationCreated, conversation.id.uuid(), &json!({})).await?;
        hooks::conversation_created(ctx, tx, project, &conversation, now).await?;
    }
    Ok(Some(conversation))
}

/// Stores the message in its conversation. The conversation and the message's id; `None` without a
/// sender.
pub(super) async fn store_in_conversation(
    ctx: &Context,
    tx: &mut Tx<'_>,
    owner: &ConversationOwner,
    message: &InboundMessage,
) -> Result<Option<(ConversationRow, MessageId)>> {
    let (now, project) = (ctx.now(), owner.project);
    // A time in the future would keep the service window open for longer than Meta does.
    let at = message.timestamp.unwrap_or(now).min(now);
    // A notice of WhatsApp opens no service window.
    let inbound_at = (message.kind != SYSTEM).then_some(at);
    let Some(conversation) = open_conversation(ctx, tx, owner, message, inbound_at).await? else { return Ok(None) };
    let raw = message.raw.to_string();
    let new = NewMessage {
        id: ctx.new_id(),
        seq: conversation.next_seq,
        direction: Direction::Inbound,
        origin: MessageOrigin::Contact,
        author: None,
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
    let body = json!({"conversation_id": conversation.id, "direction": "inbound", "kind": message.kind});
    events::append(ctx, tx, project, Event::MessageReceived, new.id.uuid(), &body).await?;
    hooks::message_received(ctx, tx, project, &conversation, new.id, now).await?;
    Ok(Some((conversation, new.id)))
}

/// Puts the text of the message `id` into the mailbox, and makes the conversation due after the
/// debounce.
pub(super) async fn queue_for_agent(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: &ConversationRow,
    message: &InboundMessage,
    id: MessageId,
) -> Result<()> {
    let text = text_for_agent(ctx, tx, project, conversation, message, id).await?;
    let Some(text) = text else {
        // A reaction asks for nothing.
        if message.group_id.is_none() {
            return Ok(());
        }
        let has_agent = conversation.agent_id.is_some() || conversation.execution_id.is_some();
        let cause = if has_agent { Cause::KindNotAnswered } else { Cause::NoAgent };
        unanswered(ctx, project, conversation, cause, message);
        return Ok(());
    };
    let picture = for_agent::has_picture(&message.kind, &message.raw).then_some(id);
    let input = Input::Message { id: message.wamid.clone(), text, picture };
    queue(ctx, tx, project, conversation, message, &input).await
}

/// Puts an input of the contact, which `message` brought, into the mailbox, and makes the
/// conversation due after the debounce.
pub(super) async fn queue(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: &ConversationRow,
    message: &InboundMessage,
    input: &Input,
) -> Result<()> {
    let now = ctx.now();
    if conversation.agent_id.is_none() && conversation.execution_id.is_none() {
        unanswered(ctx, project, conversation, Cause::NoAgent, message);
        return Ok(());
    }
    if projects::is_stopped(tx, project).await? {
        // It waits in the mailbox until the project is restored.
        unanswered(ctx, project, conversation, Cause::ProjectArchived, message);
    }
    mailbox::put(tx, project, conversation, &message.wamid, input).await?;
    if conversation.agent_paused_until.is_some() && !conversation.is_held(now) {
        // The agent continues after a reply on the phone, with this message.
        ownership::end_pause(ctx, tx, project, conversation, now).await?;
    }
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

/// The text of the turn that a message starts; `None` for kinds that start none, and for messages
/// to a group, which are not answered in private.
pub(super) async fn text_for_agent(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: &ConversationRow,
    message: &InboundMessage,
    id: MessageId,
) -> Result<Option<String>> {
    if message.group_id.is_some() {
        return Ok(None);
    }
    let quoted = match &message.context_id {
        Some(wamid) => Some(messages::of_wamid(tx, project, conversation.id, wamid).await?),
        None => None,
    };
    let quoted = quoted.map(|row| {
        row.map(|row| match row.deleted_at {
            Some(_) => (row.direction, None),
            None => (row.direction, Some(wording::of_stored(&row.content, &row.kind, row.raw.as_deref()))),
        })
    });
    let link = ctx.public_url.as_ref().map(|url| url.clone() + &media::link::path(ctx, project, id));
    let received = Received {
        kind: &message.kind,
        raw: &message.raw,
        quoted: quoted.as_ref().map(|known| match known {
            Some((direction, Some(text))) => Quoted::Known { direction: *direction, text },
            Some((_, None)) => Quoted::Deleted,
            None => Quoted::Unknown,
        }),
        link: link.as_deref(),
    };
    Ok(for_agent::text(&received))
}

pub(super) fn unanswered(
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
