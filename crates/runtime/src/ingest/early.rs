//! Changes that came before their message: taken and applied when it arrives.

use crate::{
    Context,
    json::{from_json, to_json},
};
use domain::{
    Timestamp,
    ids::{MessageId, ProjectId},
    message::{Direction, MessageOrigin},
    message_change::{self, ChangeKind, EarlierText},
};
use gateways::whatsapp::webhook::InboundMessage;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{
    Result, Tx,
    conversations::ConversationRow,
    message_changes::{self, NewText},
    messages::MessageRow,
};

/// A change that waits for its message, as it is stored.
#[derive(Serialize, Deserialize)]
pub(super) struct Waiting {
    /// Meta's id of the change.
    pub wamid: String,
    pub from: Option<String>,
    pub user_id: Option<String>,
    pub at: Timestamp,
    pub raw: Value,
    /// It was made on the shop's phone, and not by the contact.
    #[serde(default)]
    pub is_echo: bool,
}

/// Writer of a message that is ingested, and of its changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Writer {
    Contact,
    /// A person on the shop's phone.
    Phone,
}

impl Writer {
    /// True for a message that this writer may change.
    pub(super) fn wrote(self, row: &MessageRow) -> bool {
        match self {
            Self::Contact => row.direction == Direction::Inbound,
            Self::Phone => row.origin == MessageOrigin::Phone,
        }
    }
}

/// A change that came before its message.
pub(super) enum Early {
    Edited { at: Timestamp, earlier: EarlierText },
    Deleted { at: Timestamp },
}

/// Takes the change that waits for a message. Returns the message with it.
pub(super) async fn take_early(
    tx: &mut Tx<'_>,
    project: ProjectId,
    message: &InboundMessage,
    writer: Writer,
) -> Result<Option<(InboundMessage, Early)>> {
    let stored = message_changes::take(tx, project, &message.phone_number_id, &message.wamid).await?;
    let Some(stored) = stored else { return Ok(None) };
    let waiting: Waiting = from_json("change", &stored)?;
    if waiting.is_echo != (writer == Writer::Phone) {
        return Ok(None);
    }
    let same = |a: &Option<String>, b: &Option<String>| a.is_some() && a == b;
    if !same(&waiting.user_id, &message.user_id) && !same(&waiting.from, &message.from) {
        return Ok(None);
    }
    let changed = message.clone();
    Ok(match message_change::read(&waiting.raw).map(|change| change.kind) {
        Some(ChangeKind::Deletion) => {
            let raw = message_change::erased(&message.raw);
            let changed = InboundMessage { text: None, context_id: None, raw, ..changed };
            Some((changed, Early::Deleted { at: waiting.at }))
        }
        Some(ChangeKind::Edit { message: edited }) => {
            message_change::edited(&message.raw, edited).map(|(raw, text)| {
                let content = message.text.clone().unwrap_or_default();
                let sent_at = message.timestamp.unwrap_or(waiting.at);
                let earlier = EarlierText { edit: waiting.wamid.clone(), content, sent_at };
                (InboundMessage { text: Some(text), raw, ..changed }, Early::Edited { at: waiting.at, earlier })
            })
        }
        None => None,
    })
}

/// Records on the stored message the change that came before it.
pub(super) async fn note_early(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: &ConversationRow,
    id: MessageId,
    message: &InboundMessage,
    early: Early,
) -> Result<()> {
    let (now, raw) = (ctx.now(), message.raw.to_string());
    match early {
        Early::Edited { at, earlier } => {
            let content = message.text.as_deref().unwrap_or_default();
            let earlier = to_json("texts", &[earlier])?;
            message_changes::edit(tx, project, id, &NewText { content, raw: &raw, earlier: &earlier, at, now }).await
        }
        Early::Deleted { at } => {
            message_changes::note_deleted(tx, project, conversation.id, &message.wamid).await?;
            message_changes::delete(tx, project, id, &raw, at, now).await
        }
    }
}
