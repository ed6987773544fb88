//! Contact context of an execution: profile, metadata, notes and time zone, and the messages before
//! the execution started (docs/spec/engine.md 2.2, 2.6).
//!
//! The statement that loads the execution also reads the version of the contact's metadata and
//! notes, so a turn without changes reads neither.

use domain::{
    Timestamp,
    for_agent::{DELETED, has_picture},
    ids::ProjectId,
    message::{Direction, MessageOrigin},
    sandbox::code_in,
};
use engine::{About, Contact, EarlierMessage, Input, Note, State, Zone};
use jiff::tz::TimeZone;
use serde_json::{Map, Value};
use store::{
    Result, Tx, contact_notes, contacts,
    conversations::ConversationRow,
    messages::{self, MessageRow},
};

/// Newest notes, and characters of each: they are part of every stored state.
const MAX_NOTES: i64 = 20;
const MAX_NOTE_CHARS: usize = 1_000;
/// Messages from before an execution.
const MAX_EARLIER: i64 = 20;

/// The contact context, if it differs from what the execution has. `version` is that of the stored
/// contact.
pub(super) async fn contact(
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: &ConversationRow,
    state: &State,
    version: i64,
    now: Timestamp,
) -> Result<Option<Contact>> {
    let current = state.contact.clone().unwrap_or_default();
    let named = current.profile_name.as_ref().or(state.facts.profile_name.as_ref());
    let name = conversation.contact_name.as_ref();
    let about =
        if version == current.version { current.about.clone() } else { about(tx, project, conversation).await? };
    let zone = zone(&about.metadata, now);
    let renamed = name.is_some() && name != named;
    if version == current.version && !renamed && zone == current.zone {
        return Ok(None);
    }
    Ok(Some(Contact { profile_name: name.or(named).cloned(), about, zone, version }))
}

async fn about(tx: &mut Tx<'_>, project: ProjectId, conversation: &ConversationRow) -> Result<About> {
    let id = conversation.contact_id;
    let metadata = contacts::find(tx, project, id).await?.map(|contact| contact.metadata).unwrap_or_default();
    let (rows, _) = contact_notes::list(tx, project, id, (MAX_NOTES, 0)).await?;
    let notes = rows.into_iter().rev().filter(|row| !is_private(&row.metadata)).map(|row| Note {
        name: row.name.unwrap_or_else(|| "note".into()),
        content: row.content.chars().take(MAX_NOTE_CHARS).collect(),
        created_at: row.created_at,
    });
    Ok(About { metadata: object(&metadata), notes: notes.collect(), broadcast: None })
}

/// Private notes are not part of a prompt.
fn is_private(metadata: &str) -> bool {
    object(metadata).get("private") == Some(&Value::Bool(true))
}

fn object(text: &str) -> Map<String, Value> {
    serde_json::from_str(text).unwrap_or_default()
}

/// The time zone that the contact's metadata names.
fn zone(metadata: &Map<String, Value>, now: Timestamp) -> Option<Zone> {
    let name = metadata.get("time_zone").or_else(|| metadata.get("timezone"))?.as_str()?;
    let zone = TimeZone::get(name).ok()?;
    let seconds = zone.to_offset(jiff::Timestamp::from_microsecond(now.micros()).ok()?).seconds();
    Some(Zone { name: zone.iana_name().unwrap_or(name).to_owned(), minutes: seconds / 60 })
}

/// Messages between the previous execution and this one. `first` is the place of the execution's
/// first input.
pub(super) async fn earlier(
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: &ConversationRow,
    first: i64,
    after: Timestamp,
) -> Result<Option<Input>> {
    if first <= 1 {
        return Ok(None);
    }
    let in_sandbox = conversation.whatsapp_config_id.is_none();
    let rows = messages::before(tx, project, conversation.id, first, after, MAX_EARLIER).await?;
    let earlier = rows.into_iter().filter_map(|row| {
        // Activating the sandbox is not part of the conversation with the agent.
        let ours = row.origin == MessageOrigin::Sandbox || (in_sandbox && code_in(&row.content).is_some());
        (!ours).then(|| earlier_message(row))
    });
    let messages: Vec<EarlierMessage> = earlier.collect();
    Ok((!messages.is_empty()).then_some(Input::Earlier { messages }))
}

fn earlier_message(row: MessageRow) -> EarlierMessage {
    let is_inbound = row.direction == Direction::Inbound;
    if row.deleted_at.is_some() {
        let (direction, text, sent_at) = (row.direction, DELETED.to_owned(), row.created_at);
        return EarlierMessage { id: None, direction, text, sent_at, picture: None };
    }
    let raw = || row.raw.as_deref().and_then(|raw| serde_json::from_str(raw).ok()).unwrap_or_default();
    let has_picture = is_inbound && row.media.is_some() && has_picture(&row.kind, &raw());
    // Without a text the engine leaves the message out.
    let text = if has_picture && row.content.trim().is_empty() { format!("[{}]", row.kind) } else { row.content };
    let picture = has_picture.then_some(row.id);
    let id = row.wamid.filter(|_| is_inbound);
    EarlierMessage { id, direction: row.direction, text, sent_at: row.created_at, picture }
}

/// Only inputs that start or resume the agent's work need the context.
pub(super) fn is_needed(inputs: &[Input]) -> bool {
    inputs.iter().any(|input| {
        matches!(input, Input::Message { .. } | Input::Edited { .. } | Input::Data { .. } | Input::Resume { .. })
    })
}
