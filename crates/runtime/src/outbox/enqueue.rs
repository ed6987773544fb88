//! Queues a message: stores it, its place in the conversation's order and its outbox entry, in one
//! transaction.

use super::{
    content::{EntryContent, Payload},
    not_sendable::NotSendable,
    template,
};
use crate::{Context, derived_id::derived_id, json::to_json, media::uploads};
use domain::{
    Id, Span, Timestamp,
    ids::{ExecutionId, MessageId, OutboxId, ProjectId},
    message::{Content, Direction, MessageOrigin},
};
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
    /// Identifies the message: queuing it twice sends it once.
    pub source_key: &'a str,
    /// The execution and effect that wait for the outcome.
    pub waiting: Option<(ExecutionId, &'a str)>,
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
    if entry.waiting.is_some() && conversation.is_assigned() {
        return Ok(Err(NotSendable::TakenOver));
    }
    let prepared = match entry.content {
        EntryContent::Agent(Content::Template(message)) => {
            match template::fill_in(tx, project, conversation, message).await? {
                Ok(template) => Some(EntryContent::Agent(Content::Template(template))),
                Err(refused) => return Ok(Err(refused)),
            }
        }
        _ => None,
    };
    let content = prepared.as_ref().unwrap_or(entry.content);
    // Templates may be sent outside the service window.
    let is_template = content.is_template();
    let left = match conversation.last_inbound_at.map(|at| at + WINDOW) {
        _ if is_template => TEMPLATE_PATIENCE,
        Some(end) if end > now => end - now,
        _ => return Ok(Err(NotSendable::WindowClosed)),
    };
    let contact = contacts::find(tx, project, conversation.contact_id).await?;
    let Some(contact) = contact.filter(|contact| contact.wa_id.is_some() || contact.user_id.is_some()) else {
        return Ok(Err(NotSendable::NoAddress));
    };
    let message = Id::from_uuid(derived_id(project, "message", entry.source_key));
    let outbox = outbox_id(project, entry.source_key);
    let Some(next) = conversations::next_out(tx, project, conversation.id, now).await? else {
        return Ok(Err(NotSendable::NoAddress));
    };
    let raw = content.raw();
    let text = entry.shown.map_or_else(|| content.in_words(), str::to_owned);
    let new = NewMessage {
        id: message,
        seq: next.next_seq,
        direction: Direction::Outbound,
        origin: entry.origin,
        kind: content.kind(),
        content: &text,
        raw: raw.as_deref(),
        wamid: None,
        wa_timestamp: None,
        execution: entry.waiting.map(|(execution, _)| execution),
        now,
    };
    messages::insert(tx, project, conversation.id, &new).await?;
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
