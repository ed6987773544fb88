//! Contacts that have another number or user id, and two contacts that turn out to be one person.

use crate::{contact_identities as identities, contacts::{self, ContactRow, Identity}, conversations::ConversationRow, counters, search, db::{Counter, Result, Tx, run, statements}};
use domain::{Timestamp, ids::{ContactId, ProjectId}};

statements! {
    ADDRESS = ["UPDATE contacts SET wa_id = COALESCE($3, wa_id), user_id = COALESCE($4, user_id), updated_at = $5 \
                WHERE project_id = $1 AND id = $2 AND (wa_id IS DISTINCT FROM COALESCE($3, wa_id) OR user_id IS DISTINCT FROM COALESCE($4, user_id))"];
    SHOW_NUMBER = ["UPDATE conversations SET phone_number = $3, updated_at = $4 WHERE project_id = $1 AND contact_id = $2 AND status = 'active' \
                    AND phone_number_id <> '' AND phone_number IS DISTINCT FROM $3 RETURNING ", ConversationRow];
    // A contact has one open conversation with a number.
    OPEN_TWICE = ["SELECT ", ConversationRow, " FROM conversations WHERE project_id = $1 AND contact_id = $2 AND status = 'active' \
                   AND phone_number_id IN (SELECT c.phone_number_id FROM conversations c WHERE c.project_id = $1 AND c.contact_id = $3 AND c.status = 'active')"];
    OPEN_OF = ["SELECT ", ConversationRow, " FROM conversations WHERE project_id = $1 AND contact_id = $2 AND phone_number_id = $3 AND status = 'active'"];
    FINISH = ["UPDATE conversations SET status = 'ended', assignee_id = NULL, agent_paused_until = NULL, updated_at = $3 WHERE project_id = $1 AND id = $2"];
    MOVE_CONVERSATIONS = ["UPDATE conversations SET contact_id = $3, updated_at = $4 WHERE project_id = $1 AND contact_id = $2"];
    MOVE_NOTES = ["UPDATE contact_notes SET contact_id = $3 WHERE project_id = $1 AND contact_id = $2"];
    EMPTY = ["UPDATE contacts SET wa_id = NULL, user_id = NULL, updated_at = $3 WHERE project_id = $1 AND id = $2"];
    COMPLETE = ["UPDATE contacts SET profile_name = COALESCE(profile_name, $3), name_search = COALESCE(name_search, $4), \
                 customer_id = COALESCE(customer_id, $5), wa_id = COALESCE(wa_id, $6), user_id = COALESCE(user_id, $7), \
                 metadata = CASE WHEN metadata = '{}' THEN $8 ELSE metadata END, \
                 disclosed_at = COALESCE(disclosed_at, $9), \
                 updated_at = $10, about_version = about_version + 1 WHERE project_id = $1 AND id = $2"];
}

/// New address of a contact.
#[derive(Debug, Clone, Default)]
pub struct NewAddress<'a> {
    /// The number as WhatsApp writes it, and its identity.
    pub number: Option<(&'a str, Identity)>,
    /// The identity of the business-scoped user id.
    pub user_id: Option<Identity>,
}

/// Result of [`change_address`].
#[derive(Debug, Clone)]
pub struct Changed {
    /// The contact's address is another one now.
    pub changed: bool,
    /// The contact that had the new user id: the same person, who wrote before the notice came.
    pub twin: Option<ContactId>,
    /// Open conversations that show the new number.
    pub shown: Vec<ConversationRow>,
}

/// Gives a contact a new number or user id. The earlier ones still lead to it.
pub async fn change_address(
    tx: &mut Tx<'_>,
    project: ProjectId,
    contact: ContactId,
    new: &NewAddress<'_>,
    now: Timestamp,
) -> Result<Changed> {
    let mut twin = None;
    if let Some(user_id) = &new.user_id {
        twin = identities::find(tx, project, user_id).await?.filter(|holder| *holder != contact);
        identities::take(tx, project, user_id, contact).await?;
    }
    let mut shown = Vec::new();
    if let Some((_, number)) = &new.number {
        let holder = identities::holder(tx, project, number).await?;
        if holder.as_ref().is_none_or(|holder| holder.contact_id == contact || Some(holder.contact_id) == twin) {
            identities::take(tx, project, number, contact).await?;
        } else if let Some(holder) = holder {
            contacts::take_number(tx, project, number, &holder, contact, now).await?;
        }
    }
    let wa_id = new.number.as_ref().map(|(digits, _)| *digits);
    let user_id = new.user_id.as_ref().map(|identity| identity.value.as_str());
    let changed = run!(tx, ADDRESS, [project, contact, wa_id, user_id, now], execute)? == 1;
    if let Some(digits) = wa_id.filter(|_| changed) {
        shown = run!(tx, SHOW_NUMBER, [project, contact, format!("+{digits}"), now], fetch_all as ConversationRow)?;
    }
    Ok(Changed { changed, twin, shown })
}

/// A conversation of the joined contact that could not stay open, and the one that continues.
#[derive(Debug, Clone)]
pub struct Finished {
    pub row: ConversationRow,
    pub continues: Option<ConversationRow>,
}

/// Makes two contacts one: `to` gets the identities, conversations and notes of `from`, and what it
/// lacks. Where both have an open conversation with a number, that of `from` ends; a turn that is
/// under way there still answers.
pub async fn join(tx: &mut Tx<'_>, project: ProjectId, from: ContactId, to: ContactId, now: Timestamp) -> Result<Vec<Finished>> {
    // In one order, so that two joins do not wait for each other.
    for id in [from.min(to), from.max(to)] {
        contacts::lock(tx, project, id).await?;
    }
    let Some(row) = contacts::find(tx, project, from).await? else { return Ok(Vec::new()) };
    let disclosed_at = contacts::addressee(tx, project, from).await?.and_then(|addressee| addressee.disclosed_at);
    let mut finished = Vec::new();
    for row in run!(tx, OPEN_TWICE, [project, from, to], fetch_all as ConversationRow)? {
        let continues = run!(tx, OPEN_OF, [project, to, row.phone_number_id], fetch_optional as ConversationRow)?;
        run!(tx, FINISH, [project, row.id, now], execute)?;
        finished.push(Finished { row, continues });
    }
    identities::move_all(tx, project, from, to).await?;
    run!(tx, MOVE_CONVERSATIONS, [project, from, to, now], execute)?;
    run!(tx, MOVE_NOTES, [project, from, to], execute)?;
    empty(tx, project, &row, now).await?;
    let ContactRow { profile_name, customer_id, wa_id, user_id, metadata, .. } = row;
    let search = profile_name.as_deref().map(search::folded);
    run!(tx, COMPLETE, [project, to, profile_name, search, customer_id, wa_id, user_id, metadata, disclosed_at, now], execute)?;
    Ok(finished)
}

/// Takes the addresses of a contact that is another one now; it is in no list any more.
async fn empty(tx: &mut Tx<'_>, project: ProjectId, row: &ContactRow, now: Timestamp) -> Result<()> {
    if row.wa_id.is_some() || row.user_id.is_some() {
        run!(tx, EMPTY, [project, row.id, now], execute)?;
        counters::add(tx, project, Counter::Contacts, row.id.uuid(), -1);
    }
    Ok(())
}
