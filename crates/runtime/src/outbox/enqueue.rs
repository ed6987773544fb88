//! Queues a message: stores it, its place in the conversation's order and its outbox entry, in one
//! transaction.

use super::{
    content::{EntryContent, Payload},
    disclosure,
    not_sendable::NotSendable,
    outside_window, template,
};
use crate::{Context, derived_id::derived_id, events, json::to_json, media::uploads};
use domain::{
    Id, Span, Timestamp,
    author::Author,
    event::Event,
    ids::{ExecutionId, MessageId, OutboxId, ProjectId},
    message::{Content, Direction, MessageOrigin, WindowTemplate},
};
use serde_json::json;
use store::{
    Result, Tx, contacts,
    conversations::{self, ConversationRow},
    messages::{self, NewMessage},
    outbox::{self, NewOutbox, Policy},
};

/// Meta's customer service window, less a minute so that a message does not arrive after its end
/// (docs/spec/whatsapp-cloud-api.md 4).
const WINDOW: Span = Span::from_secs(24 * 3600 - 60);
/// An agent's message fails after this time: a late answer is worse than none.
const AGENT_PATIENCE: Span = Span::from_mins(15);
/// Templates of the API may be this late.
const TEMPLATE_PATIENCE: Span = Span::from_hours(24);

/// A message to queue.
#[derive(Debug, Clone, Copy)]
pub struct NewEntry<'a> {
    pub content: &'a EntryContent,
    /// Replaces the content's own text in the conversation.
    pub shown: Option<&'a str>,
    pub origin: MessageOrigin,
    /// None of an automatic answer.
    pub author: Option<Author>,
    /// Identifies the message: queuing it twice sends it once.
    pub source_key: &'a str,
    /// The execution and effect that wait for the outcome.
    pub waiting: Option<(ExecutionId, &'a str)>,
    /// Carries a text outside of the service window.
    pub outside_window: Option<&'a WindowTemplate>,
}

/// Stores the message and its outbox entry. The conversation's row must be locked by this
/// transaction.
pub async fn enqueue(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: &ConversationRow,
    entry: &NewEntry<'_>,
    now: Timestamp,
) -> Result<std::result::Result<MessageId, NotSendable>> {
    if entry.waiting.is_some() && conversation.is_held(now) {
        return Ok(Err(NotSendable::TakenOver));
    }
    let closes_at = conversation.last_inbound_at.map(|at| at + WINDOW);
    let is_closed = closes_at.is_none_or(|end| end <= now);
    let prepared = match entry.content {
        EntryContent::Agent(Content::Template(message)) => {
            match template::fill_in(tx, project, conversation, message).await? {
                Ok(template) => Some(EntryContent::Agent(Content::Template(template))),
                Err(refused) => return Ok(Err(refused)),
            }
        }
        content if is_closed && !content.is_template() => {
            match outside_window::as_template(tx, project, conversation, content, entry.outside_window).await? {
                Ok(template) => Some(EntryContent::Agent(Content::Template(template))),
                Err(refused) => return Ok(Err(refused)),
            }
        }
        _ => None,
    };
    let content = prepared.as_ref().unwrap_or(entry.content);
    let is_template = content.is_template();
    let left = match closes_at {
        Some(end) if !is_template => end - now,
        _ => TEMPLATE_PATIENCE,
    };
    let contact = contacts::addressee(tx, project, conversation.contact_id).await?;
    let Some(contact) = contact.filter(|contact| contact.wa_id.is_some() || contact.user_id.is_some()) else {
        return Ok(Err(NotSendable::NoAddress));
    };
    let disclosed = match entry.waiting {
        Some(_) => disclosure::added(tx, project, conversation.contact_id, &contact, content, now).await?,
        None => None,
    };
    let content = disclosed.as_ref().unwrap_or(content);
    let message = Id::from_uuid(derived_id(project, "message", entry.source_key));
    let outbox = outbox_id(project, entry.source_key);
    let Some(next) = conversations::next_out(tx, project, conversation.id, now).await? else {
        return Ok(Err(NotSendable::NoAddress));
    };
    let raw = content.raw();
    // A text that became a template is shown as the contact reads it.
    let shown = entry.shown.filter(|_| is_template == entry.content.is_template());
    let text = shown.map_or_else(|| content.in_words(), str::to_owned);
    let new = NewMessage {
        id: message,
        seq: next.next_seq,
        direction: Direction::Outbound,
        origin: entry.origin,
        author: entry.author,
        kind: content.kind(),
        content: &text,
        raw: raw.as_deref(),
        wamid: None,
        wa_timestamp: None,
        execution: entry.waiting.map(|(execution, _)| execution),
        now,
    };
    messages::insert(tx, project, conversation.id, &new).await?;
    let body = json!({"conversation_id": conversation.id, "kind": new.kind, "origin": entry.origin.as_str(), "author": entry.author});
    events::append(ctx, tx, project, Event::MessageCreated, message.uuid(), &body).await?;
    let payload = Payload { wa_id: contact.wa_id, user_id: contact.user_id, content: content.clone() };
    let row = NewOutbox {
        id: outbox,
        conversation: conversation.id,
        out_seq: next.next_out_seq,
        source_key: entry.source_key,
        message,
        waiting: entry.waiting,
        phone_number_id: &conversation.phone_number_id,
        payload: &to_json("payload", &payload)?,
        // A template is billed: one that may have been sent is not repeated automatically.
        policy: if is_template { Policy::Surface } else { Policy::Retry },
        not_before: next.send_after.map_or(now, |at| at.max(now)),
        patience: if entry.waiting.is_some() { AGENT_PATIENCE } else { left },
        now,
    };
    outbox::insert(tx, project, &row).await?;
    if let EntryContent::File { file } = content {
        uploads::claim(tx, project, file.upload, file.size, now).await?;
    }
    ctx.wake.notify_one();
    Ok(Ok(message))
}

/// The id of the entry with this source key.
pub fn outbox_id(project: ProjectId, source_key: &str) -> OutboxId {
    Id::from_uuid(derived_id(project, "outbox", source_key))
}
