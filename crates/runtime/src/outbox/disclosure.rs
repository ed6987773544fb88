//! The sentence that says that an assistant writes, before the first message that an agent sends to a
//! contact (docs/spec/engine.md 3.5). It is part of that message: of its text or its caption, in the
//! conversation and at WhatsApp.
//!
//! The contact's row decides, in the transaction that queues the message: once per contact, on
//! however many numbers, nodes and attempts.

use super::content::EntryContent;
use domain::{
    Timestamp,
    agent_messages::AgentMessages,
    ids::{ContactId, ProjectId},
    message::{Content, Media, MediaKind},
    phone,
};
use serde_json::Value;
use store::{
    Result, Tx,
    contacts::{self, AddresseeRow},
};

/// Characters of a text and of a caption.
const TEXT: usize = 4_096;
const CAPTION: usize = 1_024;

/// The content with the disclosure, if it is due. A template, a sound, and a text without room for it
/// leave it to the next message.
pub(super) async fn added(
    tx: &mut Tx<'_>,
    project: ProjectId,
    contact: ContactId,
    addressee: &AddresseeRow,
    content: &EntryContent,
    now: Timestamp,
) -> Result<Option<EntryContent>> {
    let Some(settings) = addressee.agent_messages.as_deref().filter(|_| addressee.disclosed_at.is_none()) else {
        return Ok(None);
    };
    let settings: AgentMessages = serde_json::from_str(settings).unwrap_or_default();
    let Some(sentence) = settings.disclosure.text_in(&language(addressee)) else { return Ok(None) };
    let Some(with) = with(content, sentence) else { return Ok(None) };
    let first = contacts::disclose(tx, project, contact, now).await?;
    Ok(first.then_some(with))
}

/// The language that the contact's metadata names, else that of the number's country.
fn language(addressee: &AddresseeRow) -> String {
    let metadata: Value = serde_json::from_str(&addressee.metadata).unwrap_or_default();
    let of_number = || addressee.wa_id.as_deref().and_then(|number| phone::normalise(number).ok());
    match metadata.get("language").and_then(Value::as_str) {
        Some(known) => known.to_owned(),
        None => of_number().map_or_else(|| "en".into(), |number| number.language().to_owned()),
    }
}

fn with(content: &EntryContent, sentence: &str) -> Option<EntryContent> {
    let EntryContent::Agent(content) = content else { return None };
    let fits = |text: &str, longest: usize| text.chars().count() <= longest;
    match content {
        Content::Text(text) => {
            let text = format!("{sentence}\n\n{text}");
            fits(&text, TEXT).then_some(EntryContent::Agent(Content::Text(text)))
        }
        Content::Media(media) if media.kind != MediaKind::Audio => {
            let caption = media.caption.as_deref().unwrap_or_default();
            let caption = format!("{sentence}\n\n{caption}").trim_end().to_owned();
            let fits = fits(&caption, CAPTION);
            let media = Media { caption: Some(caption), ..media.clone() };
            fits.then_some(EntryContent::Agent(Content::Media(media)))
        }
        Content::Media(_) | Content::Template(_) => None,
    }
}
