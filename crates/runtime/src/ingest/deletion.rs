//! Deletes the content of a message that its author deleted, wherever it is stored: message, file,
//! mailbox, histories and payloads of webhooks. The journal keeps it until it is deleted by age, so
//! that a replay holds; the trace masks it (`deleted_text.rs`).

use crate::{
    Context,
    context::PLATFORM_PROJECT,
    deleted_text::{self, DeletedTexts},
    events, hooks, mailbox, media,
};
use domain::{
    Span, Timestamp, conversation::ConversationStatus, event::Event, ids::ProjectId, message::Direction,
    message_change, wording,
};
use engine::Input;
use serde_json::{Value, json};
use store::{
    Result, Tx,
    conversations::{self, ConversationRow},
    history, message_changes,
    messages::MessageRow,
};

/// The clocks of two nodes differ by less.
const CLOCKS: Span = Span::from_mins(5);

/// `change` is Meta's id of the deletion. The conversation is locked.
pub(super) async fn delete(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: &ConversationRow,
    row: &MessageRow,
    change: &str,
    at: Timestamp,
) -> Result<()> {
    let earlier = message_change::earlier_texts(row.earlier_texts.as_deref());
    let ids: Vec<String> = row.wamid.clone().into_iter().chain(earlier.iter().map(|text| text.edit.clone())).collect();
    let words = Some(wording::of_stored(&row.content, &row.kind, row.raw.as_deref()));
    // "[sticker]" is no text of this message alone.
    let words = words.filter(|words| *words != format!("[{}]", row.kind));
    let texts = earlier.iter().map(|text| text.content.as_str()).chain(words.as_deref());
    let texts = DeletedTexts::new(texts);

    for id in &ids {
        message_changes::note_deleted(tx, project, conversation.id, id).await?;
    }
    let raw: Value = row.raw.as_deref().and_then(|raw| serde_json::from_str(raw).ok()).unwrap_or_default();
    let left = message_change::erased(&raw).to_string();
    media::delete_file(tx, project, row).await?;
    message_changes::delete(tx, project, row.id, &left, at, ctx.now()).await?;
    if project != PLATFORM_PROJECT {
        hooks::message_emptied(tx, project, conversation, row.id).await?;
    }
    let body = json!({"conversation_id": conversation.id});
    events::append(ctx, tx, project, Event::MessageRevoked, row.id.uuid(), &body).await?;

    let withdrawn = mailbox::withdraw(tx, project, conversation.id, &ids, &texts).await?;
    let mut entries = Vec::new();
    for mut entry in history::of_conversation(tx, project, conversation.id, row.created_at - CLOCKS).await? {
        let Some(holds) = deleted_text::mask_entry(&mut entry, &ids, &texts)? else { continue };
        history::replace(tx, project, &entry).await?;
        if holds && conversation.execution_id == Some(entry.execution_id) {
            entries.push(entry.seq);
        }
    }
    if row.direction == Direction::Outbound {
        // Written on the shop's phone: the contact did not delete it, so the agent is given no note.
        return Ok(());
    }
    let is_read = !entries.is_empty() || !withdrawn;
    if !is_read || conversation.execution_id.is_none() || conversation.status != ConversationStatus::Active {
        return Ok(());
    }
    let input = Input::Deleted { id: change.to_owned(), messages: ids, entries };
    mailbox::put(tx, project, conversation, change, &input).await?;
    // A burst goes on waiting.
    if conversation.burst_started_at.is_some() {
        return Ok(());
    }
    let due = conversation.due_at.map_or(ctx.now(), |due| due.min(ctx.now()));
    conversations::wake(tx, project, conversation.id, due, None).await
}
