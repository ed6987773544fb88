//! Stores and queues a message in the caller's transaction; shared by sends inside and outside a
//! conversation.

use super::{outgoing::Draft, read_message::ReadMessage, view::WhatsappMessage};
use crate::{ApiError, api::WindowTemplateField, auth::ProjectContext};
use domain::{Span, ids::ConversationId, message::MessageStatus, template::Filled};
use engine::Input;
use gateways::whatsapp::Content;
use runtime::{
    mailbox::deliver,
    outbox::{self, EntryContent, NewEntry},
    ownership::{self, Owner},
};
use store::{
    Tx,
    conversations::ConversationRow,
    messages::{self, MessageRow},
};

/// Maximum age of messages that WhatsApp accepts reactions to.
const REACTABLE: Span = Span::from_hours(30 * 24);

/// Stores the message and its outbox entry; a template as it was filled in, if it is known. Requires
/// the locked conversation row with its latest sequence number.
pub(super) async fn send(
    ctx: &ProjectContext,
    tx: &mut Tx<'_>,
    conversation: &ConversationRow,
    incoming: &ReadMessage,
    template: Option<&Filled>,
    source_key: &str,
) -> Result<WhatsappMessage, ApiError> {
    let (project, now) = (ctx.project, ctx.now());
    let shown = template.map(|filled| filled.text.as_str()).or_else(|| incoming.message.shown());
    let mut content = entry_content(ctx, tx, conversation, incoming).await?;
    if let (EntryContent::Ready { ready: Content::Template(send) }, Some(filled)) = (&mut content, template) {
        send.components.clone_from(&filled.components);
    }
    let Owner::People { notify_agent } = ownership::owner(tx, project, conversation, now).await? else {
        return Err(ApiError::conflict(
            "agent_active",
            "An execution is active in this conversation",
            "end it or wait",
        ));
    };
    if notify_agent {
        let text = shown.map_or_else(|| content.in_words(), str::to_owned);
        let input = Input::ExternalMessage { id: source_key.to_owned(), text };
        deliver(tx, project, conversation, source_key, &input, now).await?;
    }
    let (origin, author) = (ctx.principal.origin(), Some(ctx.author()));
    let outside_window = incoming.message.outside_window_template.as_ref().map(WindowTemplateField::to_domain);
    let entry = NewEntry {
        content: &content,
        shown,
        origin,
        author,
        source_key,
        waiting: None,
        outside_window: outside_window.as_ref(),
    };
    let message =
        outbox::enqueue(ctx, tx, project, conversation, &entry, now).await?.map_err(ApiError::not_sendable)?;
    let row = messages::find(tx, project, message).await?.ok_or(ApiError::NotFound("Message"))?;
    Ok(WhatsappMessage::of(ctx, &row, conversation.phone_number.as_deref()))
}

async fn entry_content(
    ctx: &ProjectContext,
    tx: &mut Tx<'_>,
    conversation: &ConversationRow,
    incoming: &ReadMessage,
) -> Result<EntryContent, ApiError> {
    match (&incoming.draft, &incoming.file) {
        (Draft::Ready(content), _) => Ok(EntryContent::Ready { ready: content.clone() }),
        (Draft::Reaction { to, emoji }, _) => {
            let message_id = reacted_to(ctx, tx, conversation.id, to).await?;
            Ok(EntryContent::Ready { ready: Content::Reaction { message_id, emoji: emoji.clone() } })
        }
        (Draft::File { .. }, Some(file)) => Ok(EntryContent::File { file: file.clone() }),
        (Draft::File { .. }, None) => Err(ApiError::invalid("/message/media_file", "blank", "can't be blank")),
    }
}

/// WhatsApp's id of a message of this conversation that accepts a reaction.
async fn reacted_to(
    ctx: &ProjectContext,
    tx: &mut Tx<'_>,
    conversation: ConversationId,
    named: &str,
) -> Result<String, ApiError> {
    let refuse = |code, why: &str| Err(ApiError::invalid("/message/reacted_to_message_id", code, why));
    let found: Option<MessageRow> = match named.parse() {
        Ok(id) => messages::find(tx, ctx.project, id).await?,
        Err(_) => messages::of_wamid(tx, ctx.project, conversation, named).await?,
    };
    let Some(message) = found.filter(|message| message.conversation_id == conversation) else {
        return refuse("unknown_message", "no such message in this conversation");
    };
    if message.kind == "reaction" {
        return refuse("not_reactable", "a reaction cannot be reacted to");
    }
    if ctx.now() - message.created_at > REACTABLE {
        return refuse("not_reactable", "the message is older than 30 days");
    }
    match message.wamid {
        Some(wamid) if message.status != MessageStatus::Failed => Ok(wamid),
        _ => refuse("not_reactable", "WhatsApp does not have this message"),
    }
}
