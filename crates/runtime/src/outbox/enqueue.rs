//! Stores what is to be said: the message, its place in the conversation's order and the outbox row, in one transaction.

use super::{entry::Parcel, template};
use crate::{Context, derived::derived, json::to_json, media::uploads};
use domain::{
    Id, Span, Timestamp,
    ids::{ExecutionId, MessageId, OutboxId, ProjectId},
    message::{Content, Direction, MessageOrigin},
};
use serde::{Deserialize, Serialize};
use store::{
    Result, Tx, contacts,
    conversations::{self, ConversationRow},
    messages::{self, NewMessage},
    outbox::{self, NewOutbox, Policy},
};

/// Meta's customer service window, less a minute so that a message does not arrive after its end (whatsapp-cloud-api.md 4).
const WINDOW: Span = Span::from_secs(24 * 3600 - 60);
/// An agent's answer that could not be sent for this long is given up: a late answer is worse than none.
const PATIENCE: Span = Span::from_mins(15);
/// What nobody waits for may be late: as long as it can be sent at all.
const LONG_PATIENCE: Span = Span::from_hours(24);

/// What is said, and by whom.
#[derive(Debug, Clone, Copy)]
pub struct Said<'a> {
    /// What it is.
    pub parcel: &'a Parcel,
    /// How it is shown in the conversation, where that is not what it says itself.
    pub shown: Option<&'a str>,
    pub origin: MessageOrigin,
    /// Names the intent: saying it twice says it once.
    pub source_key: &'a str,
    /// The execution and effect that wait for the outcome.
    pub waiting: Option<(ExecutionId, &'a str)>,
}

/// Why it cannot be said at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotSendable {
    /// The contact was silent for too long.
    #[error("the 24-hour window is closed; only templates can be sent")]
    WindowClosed,
    /// It is the agent's, and a person has the conversation.
    #[error("a person has taken the conversation over")]
    TakenOver,
    /// There is neither a number nor a user id.
    #[error("the contact has no address")]
    NoAddress,
    /// Meta does not let it be sent now.
    #[error("the template is {0}; only approved ones can be sent")]
    TemplateNotApproved(String),
    /// Its parameters are not those that it has.
    #[error("the template cannot be filled: {0}")]
    TemplateUnfit(String),
}

impl NotSendable {
    /// The code for models and clients.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::WindowClosed => "outside_service_window",
            Self::TakenOver => "taken_over",
            Self::NoAddress => "no_address",
            Self::TemplateNotApproved(_) => "template_not_approved",
            Self::TemplateUnfit(_) => "template_parameters_invalid",
        }
    }
}

/// What an outbox row holds.
#[derive(Debug, Serialize, Deserialize)]
pub struct Payload {
    /// The number as WhatsApp last wrote it.
    pub wa_id: Option<String>,
    /// For people who hide their number.
    pub user_id: Option<String>,
    /// What is sent.
    #[serde(flatten)]
    pub content: Parcel,
}

/// Puts it into the outbox and the conversation. The conversation's row must be locked by this transaction.
pub async fn enqueue(
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
    let prepared = match said.parcel {
        Parcel::Said(Content::Template(message)) => {
            match template::prepare(tx, project, conversation, message).await? {
                Ok(template) => Some(Parcel::Said(Content::Template(template))),
                Err(refused) => return Ok(Err(refused)),
            }
        }
        _ => None,
    };
    let parcel = prepared.as_ref().unwrap_or(said.parcel);
    // Templates are what the window is there for.
    let is_template = parcel.is_template();
    let left = match conversation.last_inbound_at.map(|at| at + WINDOW) {
        _ if is_template => LONG_PATIENCE,
        Some(end) if end > now => end - now,
        _ => return Ok(Err(NotSendable::WindowClosed)),
    };
    let contact = contacts::find(tx, project, conversation.contact_id).await?;
    let Some(contact) = contact.filter(|contact| contact.wa_id.is_some() || contact.user_id.is_some()) else {
        return Ok(Err(NotSendable::NoAddress));
    };
    let message = Id::from_uuid(derived(project, "message", said.source_key));
    let outbox = outbox_id(project, said.source_key);
    let Some(next) = conversations::next_out(tx, project, conversation.id, now).await? else {
        return Ok(Err(NotSendable::NoAddress));
    };
    let raw = parcel.raw();
    let content = said.shown.map_or_else(|| parcel.in_words(), str::to_owned);
    let new = NewMessage {
        id: message,
        seq: next.next_seq,
        direction: Direction::Outbound,
        origin: said.origin,
        kind: parcel.kind(),
        content: &content,
        raw: raw.as_deref(),
        wamid: None,
        wa_timestamp: None,
        execution: said.waiting.map(|(execution, _)| execution),
        now,
    };
    messages::insert(tx, project, conversation.id, &new).await?;
    let payload = Payload { wa_id: contact.wa_id, user_id: contact.user_id, content: parcel.clone() };
    let row = NewOutbox {
        id: outbox,
        conversation: conversation.id,
        out_seq: next.next_out_seq,
        source_key: said.source_key,
        message,
        waiting: said.waiting,
        phone_number_id: &conversation.phone_number_id,
        payload: &to_json("payload", &payload)?,
        // A template is billed and often a notice: one that may have gone out is not sent again by itself.
        policy: if is_template { Policy::Surface } else { Policy::Retry },
        not_before: next.send_after.map_or(now, |at| at.max(now)),
        patience: if said.waiting.is_some() { PATIENCE } else { left },
        now,
    };
    outbox::insert(tx, project, &row).await?;
    if let Parcel::File { file } = parcel {
        uploads::claim(tx, project, file, now).await?;
    }
    ctx.wake.notify_one();
    Ok(Ok(message))
}

/// The outbox row of an intent.
pub fn outbox_id(project: ProjectId, source_key: &str) -> OutboxId {
    Id::from_uuid(derived(project, "outbox", source_key))
}
