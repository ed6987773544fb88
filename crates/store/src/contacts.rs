//! Contacts: people on WhatsApp, and their identifiers.
//!
//! A phone number is never a key: it may be hidden, and it may change (docs/spec/reliability.md
//! 3.1).

use crate::{counters, search, db::{Conn, Counter, Error, List, Result, Tx, Value, rows, run, statements, stored_words}};
use domain::{words, Timestamp, ids::{ContactId, CustomerId, ProjectId}};

words! {
    pub enum IdentityKind {
        /// A phone number.
        WaId = "wa_id",
        /// A business-scoped user id.
        Bsuid = "bsuid",
    }
}
stored_words!(IdentityKind);

/// An identifier of a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub kind: IdentityKind,
    /// Empty for a number; the WABA for a user id, which is unique only within a business portfolio.
    pub scope: String,
    /// Canonical digits, or the business-scoped user id.
    pub value: String,
}

impl Identity {
    /// `digits` in canonical form.
    pub fn phone_number(digits: impl Into<String>) -> Self {
        Self { kind: IdentityKind::WaId, scope: String::new(), value: digits.into() }
    }
}

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
    ADD_IDENTITY = ["INSERT INTO contact_identities (project_id, kind, scope, value, contact_id) VALUES ($1, $2, $3, $4, $5) \
                     ON CONFLICT (project_id, kind, scope, value) DO NOTHING"];
    BY_IDENTITY = ["SELECT contact_id FROM contact_identities WHERE project_id = $1 AND kind = $2 AND scope = $3 AND value = $4"];
    KNOWN = ["SELECT contact_id, EXISTS (SELECT 1 FROM contacts WHERE project_id = $1 AND id = contact_id AND wa_id IS NULL \
              AND user_id IS NULL) AS unreachable FROM contact_identities \
              WHERE project_id = $1 AND kind = $2 AND scope = $3 AND value = $4"];
    REACH = ["UPDATE contacts SET updated_at = $3 WHERE project_id = $1 AND id = $2 AND wa_id IS NULL AND user_id IS NULL"];
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

/// Finds the contact by the first identity that is stored, in the order given, or creates it with
/// `new_id`; then records everything seen. `new_id` derives from the first identity, so concurrent
/// first messages agree on it.
pub async fn ensure(
    tx: &mut Tx<'_>,
    project: ProjectId,
    identities: &[Identity],
    new_id: ContactId,
    seen: &Seen,
    now: Timestamp,
) -> Result<ContactId> {
    see(tx, project, identities, new_id, seen, now).await.map(|(id, _)| id)
}

/// As [`ensure`]; also returns whether the contact is new or something about it was.
pub async fn see(
    tx: &mut Tx<'_>,
    project: ProjectId,
    identities: &[Identity],
    new_id: ContactId,
    seen: &Seen,
    now: Timestamp,
) -> Result<(ContactId, bool)> {
    let mut found = None;
    let mut found_at = None;
    for (place, i) in identities.iter().enumerate() {
        found = run!(tx, KNOWN, [project, i.kind, i.scope, i.value], fetch_optional as (ContactId, bool))?;
        if found.is_some() {
            found_at = Some(place);
            break;
        }
    }
    let id = found.map_or(new_id, |(id, _)| id);
    let search = seen.profile_name.as_deref().map(search::folded);
    // If a concurrent transaction creates the same contact, this one only updates it.
    let created = found.is_none()
        && run!(tx, INSERT, [project, id, seen.customer, seen.profile_name, search, seen.wa_id, seen.user_id, now], execute)? == 1;
    let (mut reachable, mut changed) = (created, created);
    if !created {
        // A contact becomes reachable once, so only one transaction may count it.
        if found.is_none_or(|(_, unreachable)| unreachable) {
            reachable = run!(tx, REACH, [project, id, now], execute)? == 1;
        }
        changed = run!(tx, SEE, [project, id, seen.customer, seen.profile_name, search, seen.wa_id, seen.user_id, now], execute)? == 1;
    }
    if reachable && (seen.wa_id.is_some() || seen.user_id.is_some()) {
        counters::add(tx, project, Counter::Contacts, id.uuid(), 1);
    }
    for (_, identity) in identities.iter().enumerate().filter(|(place, _)| found_at != Some(*place)) {
        let added = run!(tx, ADD_IDENTITY, [project, identity.kind, identity.scope, identity.value, id], execute)? == 1;
        // Not found above and taken now: a concurrent transaction created this contact under
        // another id, which counts.
        if !added && found.is_none() && by_identity(tx, project, identity).await? != Some(id) {
            return Err(Error::Retry("a concurrent transaction created this contact".into()));
        }
    }
    Ok((id, changed))
}

pub async fn by_identity(conn: &mut Conn<'_>, project: ProjectId, identity: &Identity) -> Result<Option<ContactId>> {
    let row = run!(conn, BY_IDENTITY, [project, identity.kind, identity.scope, identity.value], fetch_optional as (ContactId,))?;
    Ok(row.map(|(id,)| id))
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
    match run!(tx, ADD_IDENTITY, [project, number.kind, number.scope, number.value, c.id], execute)? {
        0 => Err(Error::Conflict("contact_identities".into())),
        _ => Ok(()),
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
