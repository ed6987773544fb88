//! Stores what is to be said: the message, its place in the conversation's order and the outbox row, in one transaction.

use super::parcel::Parcel;
use crate::{Context, uploads};
use domain::{
    Id, Span, Timestamp,
    ids::{ExecutionId, MessageId, ProjectId},
    message::Direction,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use store::{
    Result, Tx, contacts,
    conversations::{self, ConversationRow},
    messages::{self, NewMessage},
    outbox::{self, NewOutbox, Policy},
};
use uuid::Uuid;

/// Meta's customer service window, less a minute so that a message does not arrive after its end (whatsapp-cloud-api.md 4).
const WINDOW: Span = Span::from_secs(24 * 3600 - 60);
/// An agent's answer that could not be sent for this long is given up: a late answer is worse than none.
const PATIENCE: Span = Span::from_mins(15);
/// What nobody waits for may be late: as long as it can be sent at all.
const LONG_PATIENCE: Span = Span::from_hours(24);

/// What is said, and by whom.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Said<'a> {
    /// What it is.
    pub parcel: &'a Parcel,
    /// How it is shown in the conversation, where that is not what it says itself.
    pub shown: Option<&'a str>,
    /// Names the intent: saying it twice says it once.
    pub source_key: &'a str,
    /// The execution and effect that wait for the outcome.
    pub waiting: Option<(ExecutionId, &'a str)>,
}

/// Why it cannot be said at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotSendable {
    /// The contact was silent for too long.
    #[error("the 24-hour window is closed; only templates can be sent")]
    WindowClosed,
    /// It is the agent's, and a person has the conversation.
    #[error("a person has taken the conversation over")]
    TakenOver,
    /// There is neither a number nor a user id.
    #[error("the contact has no address")]
    NoAddress,
}

impl NotSendable {
    /// The code for models and clients.
    pub const fn code(self) -> &'static str {
        match self {
            Self::WindowClosed => "outside_service_window",
            Self::TakenOver => "taken_over",
            Self::NoAddress => "no_address",
        }
    }
}

/// What an outbox row holds.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Payload {
    /// The number as WhatsApp last wrote it.
    pub wa_id: Option<String>,
    /// For people who hide their number.
    pub user_id: Option<String>,
    /// What is sent.
    #[serde(flatten)]
    pub content: Parcel,
}

/// Puts it into the outbox and the conversation. The conversation's row must be locked by this transaction.
pub(crate) async fn enqueue(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: &ConversationRow,
    said: &Said<'_>,
    now: Timestamp,
) -> Result<std::result::Result<MessageId, NotSendable>> {
    if said.waiting.is_some() && conversation.is_assigned() {
        return Ok(Err(NotSendable::TakenOver));
    }
    // Templates are what the window is there for.
    let template = said.parcel.is_template();
    let left = match conversation.last_inbound_at.map(|at| Timestamp::from_micros(at) + WINDOW) {
        _ if template => LONG_PATIENCE,
        Some(end) if end > now => end - now,
        _ => return Ok(Err(NotSendable::WindowClosed)),
    };
    let contact = contacts::find(tx, project, conversation.contact_id).await?;
    let Some(contact) = contact.filter(|contact| contact.wa_id.is_some() || contact.user_id.is_some()) else {
        return Ok(Err(NotSendable::NoAddress));
    };
    let message = Id::from_uuid(derived(project, "message", said.source_key));
    let outbox = Id::from_uuid(derived(project, "outbox", said.source_key));
    let Some(next) = conversations::next_out(tx, project, conversation.id, now).await? else {
        return Ok(Err(NotSendable::NoAddress));
    };
    let raw = said.parcel.raw();
    let content = said.shown.map_or_else(|| said.parcel.in_words(), str::to_owned);
    let new = NewMessage {
        id: message,
        seq: next.next_seq,
        direction: Direction::Outbound,
        kind: said.parcel.kind(),
        content: &content,
        raw: raw.as_deref(),
        wamid: None,
        wa_timestamp: None,
        execution: said.waiting.map(|(execution, _)| execution),
        now,
    };
    messages::insert(tx, project, conversation.id, &new).await?;
    let payload = Payload { wa_id: contact.wa_id, user_id: contact.user_id, content: said.parcel.clone() };
    let row = NewOutbox {
        id: outbox,
        conversation: conversation.id,
        out_seq: next.next_out_seq,
        source_key: said.source_key,
        message,
        waiting: said.waiting,
        phone_number_id: &conversation.phone_number_id,
        payload: &super::step::to_json("payload", &payload)?,
        policy: if template { Policy::Surface } else { Policy::Retry },
        not_before: next.send_after.map_or(now, |at| Timestamp::from_micros(at).max(now)),
        patience: if said.waiting.is_some() { PATIENCE } else { left },
        now,
    };
    outbox::insert(tx, project, &row).await?;
    if let Parcel::File { file } = said.parcel {
        uploads::claim(tx, project, file, now).await?;
    }
    ctx.wake.notify_one();
    Ok(Ok(message))
}

/// An id that follows from what it names: a repeated transaction makes the same one.
pub(crate) fn derived(project: ProjectId, kind: &str, key: &str) -> Uuid {
    let digest = Sha256::digest(format!("{project}/{kind}/{key}"));
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    Uuid::new_v8(bytes)
}
