//! What an execution is told beside what was said: who the contact is by now, and what was said before it began (engine.md 2.2, 2.6).
//!
//! A turn pays for it only where there is something new: the statement that loads the execution brings the number of the contact's
//! state, and notes and metadata are read when it is not the number that the execution has seen.

use domain::{Timestamp, ids::ProjectId, message::MessageOrigin, sandbox::codes_in};
use engine::{About, Contact, EarlierMessage, Input, Note, State, Zone};
use jiff::tz::TimeZone;
use serde_json::{Map, Value};
use store::{Result, Tx, contact_notes, contacts, conversations::ConversationRow, messages};

/// Notes that are told, the newest, and characters of each: they are in every stored state.
const NOTES: i64 = 20;
const NOTE: usize = 1_000;
/// Messages from before an execution that are told.
const EARLIER: i64 = 20;

/// What is known of the contact, if it is not what the execution knows already. `version` is that of the stored contact.
pub(super) async fn contact(
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: &ConversationRow,
    state: &State,
    version: i64,
    now: Timestamp,
) -> Result<Option<Contact>> {
    let known = state.contact.clone().unwrap_or_default();
    let named = known.profile_name.as_ref().or(state.facts.profile_name.as_ref());
    let name = conversation.contact_name.as_ref();
    let about = if version == known.version { known.about.clone() } else { about(tx, project, conversation).await? };
    let zone = zone(&about.metadata, now);
    let renamed = name.is_some() && name != named;
    if version == known.version && !renamed && zone == known.zone {
        return Ok(None);
    }
    Ok(Some(Contact { profile_name: name.or(named).cloned(), about, zone, version }))
}

async fn about(tx: &mut Tx<'_>, project: ProjectId, conversation: &ConversationRow) -> Result<About> {
    let id = conversation.contact_id;
    let metadata = contacts::find(tx, project, id).await?.map(|contact| contact.metadata).unwrap_or_default();
    let (rows, _) = contact_notes::list(tx, project, id, (NOTES, 0)).await?;
    let notes = rows.into_iter().rev().filter(|row| !is_private(&row.metadata)).map(|row| Note {
        name: row.name.unwrap_or_else(|| "note".into()),
        content: row.content.chars().take(NOTE).collect(),
        created_at: row.created_at,
    });
    Ok(About { metadata: object(&metadata), notes: notes.collect(), broadcast: None })
}

/// Notes that people keep among themselves.
fn is_private(metadata: &str) -> bool {
    object(metadata).get("private") == Some(&Value::Bool(true))
}

fn object(text: &str) -> Map<String, Value> {
    serde_json::from_str(text).unwrap_or_default()
}

/// The time where the contact is, by the name that its metadata gives.
fn zone(metadata: &Map<String, Value>, now: Timestamp) -> Option<Zone> {
    let name = metadata.get("time_zone").or_else(|| metadata.get("timezone"))?.as_str()?;
    let zone = TimeZone::get(name).ok()?;
    let seconds = zone.to_offset(jiff::Timestamp::from_microsecond(now.micros()).ok()?).seconds();
    Some(Zone { name: zone.iana_name().unwrap_or(name).to_owned(), minutes: seconds / 60 })
}

/// What was said in the conversation before its new execution, and after the one before it was over: nobody has told the agent of
/// it. `first` is the place of what the execution begins with.
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
    let rows = messages::before(tx, project, conversation.id, (first, after), EARLIER).await?;
    let told = rows.into_iter().filter_map(|row| {
        // How the sandbox was opened is between the person and us.
        let ours = row.origin == MessageOrigin::Sandbox || (in_sandbox && !codes_in(&row.content).is_empty());
        (!ours).then_some(EarlierMessage { direction: row.direction, text: row.content, sent_at: row.created_at })
    });
    let messages: Vec<EarlierMessage> = told.collect();
    Ok((!messages.is_empty()).then_some(Input::Earlier { messages }))
}

/// Whether an input lets an execution go on: then it is told what is known by now.
pub(super) fn goes_on(inputs: &[Input]) -> bool {
    inputs.iter().any(|input| matches!(input, Input::Said { .. } | Input::Data { .. } | Input::Resume { .. }))
}
