//! Contacts: people on WhatsApp, and their identifiers.
//!
//! A phone number is never a key: it may be hidden, and it may change (docs/spec/reliability.md
//! 3.1).

use crate::{contact_identities::{self as identities, HolderRow}, counters, search, db::{Conn, Counter, Error, List, Result, Tx, Value, rows, run, statements}};
use domain::{Timestamp, ids::{ContactId, CustomerId, ProjectId}};

pub use crate::contact_identities::{Identity, IdentityKind};

rows! {
    #[derive(Debug, Clone)]
    pub struct ContactRow {
        pub id: ContactId,
        pub profile_name: Option<String>,
        /// The number as WhatsApp last wrote it; messages are sent to it.
        pub wa_id: Option<String>,
        /// The business-scoped user id last seen.
        pub user_id: Option<String>,
        /// None in the sandbox.
        pub customer_id: Option<CustomerId>,
        /// A JSON object.
        pub metadata: String,
        pub created_at: Timestamp,
        pub updated_at: Timestamp,
    }
}

rows! {
    /// Address and disclosure of a contact, read before a message is queued.
    #[derive(Debug, Clone)]
    pub struct AddresseeRow {
        pub wa_id: Option<String>,
        pub user_id: Option<String>,
        /// A JSON object.
        pub metadata: String,
        /// Time of the message with the disclosure.
        pub disclosed_at: Option<Timestamp>,
        /// The project's settings, JSON.
        pub agent_messages: Option<String>,
    }
}

/// Filters of a list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub customer: Option<CustomerId>,
    pub external_customer_id: Option<String>,
    /// `true`: only those without a customer; `false`: only those with one.
    pub customer_is_null: Option<bool>,
    /// The reverse. If both are given, both hold.
    pub customer_is_not_null: Option<bool>,
    /// Substring, in any case.
    pub profile_name: Option<String>,
    /// Substring.
    pub wa_id: Option<String>,
    pub created_from: Option<Timestamp>,
    pub created_to: Option<Timestamp>,
}

statements! {
    ADDRESSEE = ["SELECT wa_id, user_id, metadata, disclosed_at, agent_messages FROM contacts \
                  JOIN (SELECT id AS project, agent_messages FROM projects) AS settings ON project = project_id \
                  WHERE project_id = $1 AND id = $2"];
    DISCLOSE = ["UPDATE contacts SET disclosed_at = $3 WHERE project_id = $1 AND id = $2 AND disclosed_at IS NULL"];
    DISCLOSE_AGAIN = ["UPDATE contacts SET disclosed_at = NULL WHERE project_id = $1 AND id = $2 AND disclosed_at IS NOT NULL"];
    INSERT = ["INSERT INTO contacts (project_id, id, customer_id, profile_name, name_search, wa_id, user_id, metadata, created_at, updated_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, '{}', $8, $8) ON CONFLICT (project_id, id) DO NOTHING"];
    // Most messages bring nothing new about their sender, and each column here is in an index.
    SEE = ["UPDATE contacts SET customer_id = COALESCE(customer_id, $3), profile_name = COALESCE($4, profile_name), \
            name_search = COALESCE($5, name_search), wa_id = COALESCE($6, wa_id), user_id = COALESCE($7, user_id), updated_at = $8 \
            WHERE project_id = $1 AND id = $2 AND (customer_id IS DISTINCT FROM COALESCE(customer_id, $3) \
                OR profile_name IS DISTINCT FROM COALESCE($4, profile_name) OR wa_id IS DISTINCT FROM COALESCE($6, wa_id) \
                OR user_id IS DISTINCT FROM COALESCE($7, user_id))"];
    ADD = ["INSERT INTO contacts (project_id, id, customer_id, profile_name, name_search, wa_id, metadata, created_at, updated_at, about_version) \
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1)"];
    CHANGED = ["UPDATE contacts SET about_version = about_version + 1 WHERE project_id = $1 AND id = $2"];
    LOCK = ["UPDATE contacts SET updated_at = updated_at WHERE project_id = $1 AND id = $2 \
             RETURNING ", ContactRow];
    UPDATE = ["UPDATE contacts SET profile_name = $3, name_search = $4, metadata = $5, updated_at = $6, \
               about_version = about_version + 1 WHERE project_id = $1 AND id = $2"];
    NAME = ["UPDATE contacts SET profile_name = $3, name_search = $4, updated_at = $5 \
             WHERE project_id = $1 AND id = $2 AND profile_name IS NULL"];
    LEAVE_CUSTOMER = ["UPDATE contacts SET customer_id = NULL WHERE project_id = $1 AND customer_id = $2"];
    REACH = ["UPDATE contacts SET updated_at = $3 WHERE project_id = $1 AND id = $2 AND wa_id IS NULL AND user_id IS NULL"];
    LOSE_NUMBER = ["UPDATE contacts SET wa_id = NULL, updated_at = $3 WHERE project_id = $1 AND id = $2"];
    FIND = ["SELECT ", ContactRow, " FROM contacts WHERE project_id = $1 AND id = $2"];
}

pub(crate) const LIST: List<1, 8> = List {
    columns: ContactRow::COLUMNS,
    from: "contacts WHERE project_id = $1 AND (wa_id IS NOT NULL OR user_id IS NOT NULL)",
    filters: [
        "customer_id = ?",
        "customer_id IN (SELECT id FROM customers WHERE project_id = $1 AND external_customer_id = ?)",
        "(customer_id IS NULL) = ?",
        "(customer_id IS NOT NULL) = ?",
        "name_search LIKE ? ESCAPE '\\'",
        "wa_id LIKE ? ESCAPE '\\'",
        "created_at >= ?",
        "created_at <= ?",
    ],
    order: "created_at DESC, id DESC",
};

/// Contact data from one event.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    pub profile_name: Option<String>,
    /// The number as written.
    pub wa_id: Option<String>,
    pub user_id: Option<String>,
    /// The customer whose number received it; a contact that has a customer keeps it.
    pub customer: Option<CustomerId>,
}

/// Result of [`see`].
#[derive(Debug, Clone, Copy)]
pub struct Met {
    pub id: ContactId,
    /// The contact is new, or something about it was.
    pub changed: bool,
    /// Another contact that turned out to be the same person.
    pub twin: Option<ContactId>,
    /// The number of the event is one that the contact has no longer.
    pub by_former_number: bool,
}

/// As [`see`], for identities that lead to one contact at most.
pub async fn ensure(
    tx: &mut Tx<'_>,
    project: ProjectId,
    given: &[Identity],
    new_id: ContactId,
    seen: &Seen,
    now: Timestamp,
) -> Result<ContactId> {
    see(tx, project, given, new_id, seen, now).await.map(|met| met.id)
}

/// Finds the contact that the identities lead to, or creates it with `new_id`; then records
/// everything seen. `new_id` derives from the first identity, so concurrent first messages agree
/// on it.
pub async fn see(
    tx: &mut Tx<'_>,
    project: ProjectId,
    given: &[Identity],
    new_id: ContactId,
    seen: &Seen,
    now: Timestamp,
) -> Result<Met> {
    let mut holders = Vec::with_capacity(given.len());
    for identity in given {
        holders.push(identities::holder(tx, project, identity).await?);
    }
    let (found, twin) = choose(tx, project, given, &holders).await?;
    let id = found.map_or(new_id, |holder| holder.contact_id);
    // A late message by a former number or id does not change the address.
    let is_former = |kind| {
        let mut pairs = given.iter().zip(&holders);
        pairs.any(|(identity, holder)| identity.kind == kind && holder.as_ref().is_some_and(|h| h.former && h.contact_id == id))
    };
    let wa_id = seen.wa_id.as_deref().filter(|_| !is_former(IdentityKind::WaId));
    let user_id = seen.user_id.as_deref().filter(|_| !is_former(IdentityKind::Bsuid));
    let search = seen.profile_name.as_deref().map(search::folded);
    // If a concurrent transaction creates the same contact, this one only updates it.
    let created = found.is_none()
        && run!(tx, INSERT, [project, id, seen.customer, seen.profile_name, search, wa_id, user_id, now], execute)? == 1;
    let (mut reachable, mut changed) = (created, created);
    if !created {
        // A contact becomes reachable once, so only one transaction may count it.
        if found.is_none_or(|holder| holder.wa_id.is_none() && holder.user_id.is_none()) {
            reachable = run!(tx, REACH, [project, id, now], execute)? == 1;
        }
        changed = run!(tx, SEE, [project, id, seen.customer, seen.profile_name, search, wa_id, user_id, now], execute)? == 1;
    }
    if reachable && (wa_id.is_some() || user_id.is_some()) {
        counters::add(tx, project, Counter::Contacts, id.uuid(), 1);
    }
    for (identity, holder) in given.iter().zip(&holders) {
        match holder {
            Some(holder) if holder.contact_id == id || Some(holder.contact_id) == twin => {}
            // Another contact had the number until now.
            Some(holder) if identity.kind == IdentityKind::WaId && found.is_none_or(|found| !found.former) => {
                take_number(tx, project, identity, holder, id, now).await?;
            }
            Some(_) => {}
            None => {
                let added = identities::add(tx, project, identity, id).await?;
                // Not found above and taken now: a concurrent transaction created this contact
                // under another id, which counts.
                if !added && found.is_none() && identities::find(tx, project, identity).await? != Some(id) {
                    return Err(Error::Retry("a concurrent transaction created this contact".into()));
                }
                if changed && !created && identity.kind == IdentityKind::WaId {
                    identities::retire_others(tx, project, identity, id).await?;
                }
            }
        }
    }
    Ok(Met { id, changed, twin, by_former_number: is_former(IdentityKind::WaId) })
}

/// The contact of an event, and another one that it shows to be the same person.
async fn choose<'h>(
    tx: &mut Tx<'_>,
    project: ProjectId,
    given: &[Identity],
    holders: &'h [Option<HolderRow>],
) -> Result<(Option<&'h HolderRow>, Option<ContactId>)> {
    let of = |kind| given.iter().zip(holders).find(|(identity, _)| identity.kind == kind);
    let (user, number) = (of(IdentityKind::Bsuid), of(IdentityKind::WaId));
    let (by_user, by_number) = (user.and_then(|(_, h)| h.as_ref()), number.and_then(|(_, h)| h.as_ref()));
    Ok(match (by_user, by_number) {
        (Some(by_user), Some(by_number)) if by_user.contact_id != by_number.contact_id => {
            if by_user.former && !by_number.former {
                return Ok((Some(by_number), None));
            }
            // A number of one contact that another one had before.
            if by_number.former || by_user.former || by_user.wa_id.is_some() {
                return Ok((Some(by_user), None));
            }
            let is_other = match user {
                Some((identity, _)) => identities::has_of_kind(tx, project, by_number.contact_id, identity).await?,
                None => false,
            };
            if is_other {
                return Ok((Some(by_user), None));
            }
            // The person hid the number until now. The conversation with the number continues.
            (Some(by_number), Some(by_user.contact_id))
        }
        (Some(by_user), _) => (Some(by_user), None),
        // A new person has a number that its earlier holder gave up.
        (None, Some(by_number)) if by_number.former && user.is_some() => (None, None),
        (None, by_number) => (by_number, None),
    })
}

/// Moves a number from its earlier holder to the contact that has it now.
pub(crate) async fn take_number(
    tx: &mut Tx<'_>,
    project: ProjectId,
    number: &Identity,
    holder: &HolderRow,
    to: ContactId,
    now: Timestamp,
) -> Result<()> {
    if !holder.former && holder.wa_id.is_some() {
        run!(tx, LOSE_NUMBER, [project, holder.contact_id, now], execute)?;
        if holder.user_id.is_none() {
            counters::add(tx, project, Counter::Contacts, holder.contact_id.uuid(), -1);
        }
    }
    identities::take(tx, project, number, to).await
}

pub async fn by_identity(conn: &mut Conn<'_>, project: ProjectId, identity: &Identity) -> Result<Option<ContactId>> {
    identities::find(conn, project, identity).await
}

pub async fn find(conn: &mut Conn<'_>, project: ProjectId, id: ContactId) -> Result<Option<ContactRow>> {
    run!(conn, FIND, [project, id], fetch_optional as ContactRow)
}

/// Names a contact that has no name. `false` if it has one.
pub async fn name(tx: &mut Tx<'_>, project: ProjectId, id: ContactId, name: &str, now: Timestamp) -> Result<bool> {
    Ok(run!(tx, NAME, [project, id, name, search::folded(name), now], execute)? == 1)
}

/// Recipient of a message, and the state of the contact's disclosure.
pub async fn addressee(conn: &mut Conn<'_>, project: ProjectId, id: ContactId) -> Result<Option<AddresseeRow>> {
    run!(conn, ADDRESSEE, [project, id], fetch_optional as AddresseeRow)
}

/// Notes that a message of an agent holds the disclosure. `false` if an earlier one does.
pub async fn disclose(tx: &mut Tx<'_>, project: ProjectId, id: ContactId, now: Timestamp) -> Result<bool> {
    Ok(run!(tx, DISCLOSE, [project, id, now], execute)? == 1)
}

/// The next message of an agent holds the disclosure again: a person has talked with the contact.
pub async fn disclose_again(tx: &mut Tx<'_>, project: ProjectId, id: ContactId) -> Result<()> {
    run!(tx, DISCLOSE_AGAIN, [project, id], execute).map(drop)
}

/// Stores a contact created over the API, with the identity of its number. [`Error::Conflict`] if
/// the number is taken.
pub async fn insert(tx: &mut Tx<'_>, project: ProjectId, c: &ContactRow, number: &Identity) -> Result<()> {
    let search = c.profile_name.as_deref().map(search::folded);
    run!(tx, ADD, [project, c.id, c.customer_id, c.profile_name, search, c.wa_id, c.metadata, c.created_at, c.updated_at], execute)?;
    if c.wa_id.is_some() {
        counters::add(tx, project, Counter::Contacts, c.id.uuid(), 1);
    }
    match identities::add(tx, project, number, c.id).await? {
        false => Err(Error::Conflict("contact_identities".into())),
        true => Ok(()),
    }
}

/// Reads and locks a contact: other changes wait until the transaction ends.
pub async fn lock(tx: &mut Tx<'_>, project: ProjectId, id: ContactId) -> Result<Option<ContactRow>> {
    run!(tx, LOCK, [project, id], fetch_optional as ContactRow)
}

/// Writes name and metadata of a row that was locked in the same transaction.
pub async fn update(tx: &mut Tx<'_>, project: ProjectId, c: &ContactRow) -> Result<()> {
    let search = c.profile_name.as_deref().map(search::folded);
    run!(tx, UPDATE, [project, c.id, c.profile_name, search, c.metadata, c.updated_at], execute).map(drop)
}

/// Marks the contact context as changed, so that executions load it again.
pub(crate) async fn changed(tx: &mut Tx<'_>, project: ProjectId, id: ContactId) -> Result<()> {
    run!(tx, CHANGED, [project, id], execute).map(drop)
}

/// Clears customer_id on the customer's contacts.
pub async fn leave_customer(tx: &mut Tx<'_>, project: ProjectId, customer: CustomerId) -> Result<()> {
    run!(tx, LEAVE_CUSTOMER, [project, customer], execute).map(drop)
}

/// A page of contacts, newest first, and the number of all that match. Contacts that cannot be
/// reached (executions without a person have one) are in no list.
pub async fn list(conn: &mut Conn<'_>, project: ProjectId, f: &Filter, limit: i64, offset: i64) -> Result<(Vec<ContactRow>, i64)> {
    let query = LIST.query([project.into()], [
        f.customer.map(Value::from),
        f.external_customer_id.as_deref().map(Value::from),
        f.customer_is_null.map(Value::from),
        f.customer_is_not_null.map(Value::from),
        f.profile_name.as_deref().map(search::containing).map(Value::from),
        f.wa_id.as_deref().map(search::containing).map(Value::from),
        f.created_from.map(Value::from),
        f.created_to.map(Value::from),
    ]);
    counters::page(conn, (project, Counter::Contacts), &query, (limit, offset)).await
}
