//! Applies changes of messages by their author, a contact or a person on the shop's phone: edits and
//! deletions (docs/inbound-messages.md).
//!
//! Meta delivers in any order. A change that comes before its message waits for it; of several
//! edits the newest by Meta's clock counts, and nothing follows a deletion.

use super::{
    deletion,
    early::{Waiting, Writer},
    echoes,
    messages::{is_first, known_contact, queue, text_for_agent},
};
use crate::{Context, events, json::to_json, mailbox, unanswered::Cause};
use domain::{
    Timestamp,
    conversation::ConversationStatus,
    event::Event,
    for_agent,
    ids::{ProjectId, WhatsappConfigId},
    message::Direction,
    message_change::{self, Change, ChangeKind, EarlierText},
    wording,
};
use engine::Input;
use gateways::whatsapp::webhook::InboundMessage;
use serde_json::{Value, json};
use store::{
    Result, Tx,
    conversations::{self, ConversationRow},
    message_changes::{self, NewText, WaitingChange},
    messages::{self, MessageRow},
    whatsapp_configs,
};

/// Stores a change of a message to a project's own number.
pub(super) async fn store_for_number(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    config: WhatsappConfigId,
    message: &InboundMessage,
    writer: Writer,
) -> Result<()> {
    if !is_first(ctx, tx, project, message).await? {
        return Ok(());
    }
    let number = whatsapp_configs::find(tx, project, config).await?;
    let is_processed = number.is_some_and(|number| number.inbound_processing_enabled);
    store(ctx, tx, (project, project), is_processed, message, writer).await
}

/// Stores a change. `seen_in` is the project in which the ids of the number's messages are noted.
pub(super) async fn store(
    ctx: &Context,
    tx: &mut Tx<'_>,
    (project, seen_in): (ProjectId, ProjectId),
    is_processed: bool,
    message: &InboundMessage,
    writer: Writer,
) -> Result<()> {
    let result = match message_change::read(&message.raw) {
        Some(change) => {
            let new = NewChange { message, change, writer, is_processed };
            new.store(ctx, tx, project, seen_in).await?
        }
        None => Outcome::Malformed,
    };
    let labels = [("kind", message.kind.clone()), ("result", result.as_str().to_owned())];
    metrics::counter!("chasqui_message_changes_total", &labels).increment(1);
    Ok(())
}

/// Result of a change, as the metric counts it.
#[derive(Clone, Copy)]
enum Outcome {
    Applied,
    /// Its message has not arrived.
    Waiting,
    /// A newer edit or a deletion counts.
    Outdated,
    /// The message is not one of the sender, or our copy was deleted.
    NotTheirs,
    /// Its type cannot be edited.
    NotEditable,
    Malformed,
}

impl Outcome {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Waiting => "waiting",
            Self::Outdated => "outdated",
            Self::NotTheirs => "not_theirs",
            Self::NotEditable => "not_editable",
            Self::Malformed => "malformed",
        }
    }
}

/// A change that has arrived.
struct NewChange<'m> {
    message: &'m InboundMessage,
    change: Change<'m>,
    writer: Writer,
    is_processed: bool,
}

impl NewChange<'_> {
    async fn store(&self, ctx: &Context, tx: &mut Tx<'_>, project: ProjectId, seen_in: ProjectId) -> Result<Outcome> {
        let Self { message, change, writer, is_processed } = *self;
        let (now, number, target) = (ctx.now(), &message.phone_number_id, change.target);
        // Not cut off at our own time: Meta's clock orders the changes.
        let at = message.timestamp.unwrap_or(now);
        let mut found = of_contact(tx, project, message, target).await?;
        if found.is_none() {
            // Noting the id waits for a transaction that is storing the message.
            if messages::first_seen(tx, seen_in, number, target, now).await? {
                messages::forget_seen(tx, seen_in, number, target).await?;
                return self.wait(tx, project, at, now).await;
            }
            found = of_contact(tx, project, message, target).await?;
        }
        let Some(row) = found.filter(|row| writer.wrote(row)) else { return Ok(Outcome::NotTheirs) };
        let conversation = conversations::lock(tx, project, row.conversation_id, now).await?;
        // Again under the lock: another change may have come first.
        let row = messages::find(tx, project, row.id).await?;
        let (Some(conversation), Some(row)) = (conversation, row) else { return Ok(Outcome::NotTheirs) };
        if row.deleted_at.is_some() {
            return Ok(Outcome::Outdated);
        }
        match change.kind {
            ChangeKind::Deletion => {
                deletion::delete(ctx, tx, project, &conversation, &row, &message.wamid, at).await?;
                Ok(Outcome::Applied)
            }
            ChangeKind::Edit { message: edited } => {
                let edit = Edit { message, edited, at, is_processed };
                edit.apply(ctx, tx, project, &conversation, &row).await
            }
        }
    }

    async fn wait(&self, tx: &mut Tx<'_>, project: ProjectId, at: Timestamp, now: Timestamp) -> Result<Outcome> {
        let Self { message, change, writer, .. } = *self;
        let waiting = Waiting {
            wamid: message.wamid.clone(),
            from: message.from.clone(),
            user_id: message.user_id.clone(),
            at,
            raw: message.raw.clone(),
            is_echo: writer == Writer::Phone,
        };
        let change = WaitingChange {
            phone_number_id: &message.phone_number_id,
            wamid: change.target,
            body: &to_json("change", &waiting)?,
            is_deletion: change.kind == ChangeKind::Deletion,
            changed_at: at,
        };
        message_changes::wait(tx, project, &change, now).await?;
        Ok(Outcome::Waiting)
    }
}

/// The message with this id, in any conversation of the contact with the number.
async fn of_contact(
    tx: &mut Tx<'_>,
    project: ProjectId,
    message: &InboundMessage,
    wamid: &str,
) -> Result<Option<MessageRow>> {
    match known_contact(tx, project, message).await? {
        Some(contact) => messages::of_contact(tx, project, contact, &message.phone_number_id, wamid).await,
        None => Ok(None),
    }
}

/// An edit of a stored message.
struct Edit<'m> {
    message: &'m InboundMessage,
    /// The message as it is now.
    edited: &'m Value,
    at: Timestamp,
    is_processed: bool,
}

impl Edit<'_> {
    async fn apply(
        &self,
        ctx: &Context,
        tx: &mut Tx<'_>,
        project: ProjectId,
        conversation: &ConversationRow,
        row: &MessageRow,
    ) -> Result<Outcome> {
        let raw: Value = row.raw.as_deref().and_then(|raw| serde_json::from_str(raw).ok()).unwrap_or_default();
        let Some((element, content)) = message_change::edited(&raw, self.edited) else {
            return Ok(Outcome::NotEditable);
        };
        let earlier = message_change::earlier_texts(row.earlier_texts.as_deref());
        let edit = self.message.wamid.clone();
        let is_late = row.edited_at.is_some_and(|newest| newest > self.at);
        let (content, raw, edited_at, text) = if is_late {
            let text = EarlierText { edit, content, sent_at: self.at };
            (row.content.clone(), raw.clone(), row.edited_at.unwrap_or(self.at), text)
        } else {
            let sent_at = row.edited_at.or(row.wa_timestamp).unwrap_or(row.created_at);
            let text = EarlierText { edit, content: row.content.clone(), sent_at };
            (content, element, self.at, text)
        };
        let new = NewText {
            content: &content,
            raw: &raw.to_string(),
            earlier: &to_json("texts", &message_change::with_earlier(earlier, text))?,
            at: edited_at,
            now: ctx.now(),
        };
        message_changes::edit(tx, project, row.id, &new).await?;
        if is_late {
            return Ok(Outcome::Outdated);
        }
        let body = json!({"conversation_id": conversation.id});
        events::append(ctx, tx, project, Event::MessageEdited, row.id.uuid(), &body).await?;
        if content != row.content && row.direction == Direction::Outbound {
            echoes::show_edit(tx, project, conversation, row, &content, &self.message.wamid).await?;
        } else if content != row.content {
            self.tell_agent(ctx, tx, project, conversation, row, raw).await?;
        }
        Ok(Outcome::Applied)
    }

    /// Gives the agent the new text in place of the earlier one if it has not read that, else as an
    /// input, which starts a turn as a message does: the contact waits for an answer to it.
    async fn tell_agent(
        &self,
        ctx: &Context,
        tx: &mut Tx<'_>,
        project: ProjectId,
        conversation: &ConversationRow,
        row: &MessageRow,
        raw: Value,
    ) -> Result<()> {
        let id = row.wamid.clone().unwrap_or_default();
        let message = InboundMessage {
            wamid: id.clone(),
            kind: row.kind.clone(),
            context_id: raw.pointer("/context/id").and_then(Value::as_str).map(str::to_owned),
            group_id: raw.get("group_id").and_then(Value::as_str).map(str::to_owned),
            raw,
            ..self.message.clone()
        };
        let Some(text) = text_for_agent(ctx, tx, project, conversation, &message, row.id).await? else { return Ok(()) };
        let picture = for_agent::has_picture(&message.kind, &message.raw).then_some(row.id);
        let unread = Input::Message { id: id.clone(), text: text.clone(), picture };
        if mailbox::replace_message(tx, project, conversation.id, &id, &unread).await? {
            return Ok(());
        }
        if conversation.status != ConversationStatus::Active {
            return Ok(());
        }
        if !self.is_processed {
            super::messages::unanswered(ctx, project, conversation, Cause::NumberOff, self.message);
            return Ok(());
        }
        let note = for_agent::edited(&wording::of_stored(&row.content, &row.kind, row.raw.as_deref()), &text);
        let input = Input::Edited { id: self.message.wamid.clone(), message: id, text, note };
        queue(ctx, tx, project, conversation, self.message, &input).await
    }
}
