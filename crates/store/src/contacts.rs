//! People on WhatsApp and the identifiers they are known by.
//!
//! A phone number is never a key: it may be hidden, and it may change (reliability.md 3.1).

use crate::{Conn, Error, Result, Tx, counters::{self, List}, db::row::rows, search, db::sql::{count, filtered, run, statements}};
use domain::{Timestamp, ids::{ContactId, CustomerId, ProjectId}};
use uuid::Uuid;

/// One identifier of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// `wa_id` or `bsuid`.
    pub kind: &'static str,
    /// Empty for `wa_id`; the WABA for `bsuid`, which is unique only within a business portfolio.
    pub scope: String,
    /// Canonical digits, or the business-scoped user id.
    pub value: String,
}

rows! {
    /// A stored contact.
    #[derive(Debug, Clone)]
    pub struct ContactRow {
        /// Its id.
        pub id: ContactId,
        /// The name on the profile.
        pub profile_name: Option<String>,
        /// The number as WhatsApp last wrote it: what messages are sent to.
        pub wa_id: Option<String>,
        /// The business-scoped user id last seen.
        pub user_id: Option<String>,
        /// Whose contact it is; none in the sandbox.
        pub customer_id: Option<CustomerId>,
        /// A JSON object.
        pub metadata: String,
        /// When it was made.
        pub created_at: Timestamp,
        /// When it was changed.
        pub updated_at: Timestamp,
    }
}

/// Which contacts a list shows.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of this customer.
    pub customer: Option<CustomerId>,
    /// Of the customer with this external id.
    pub external_customer_id: Option<String>,
    /// `true`: only those without a customer; `false`: only those with one.
    pub customer_is_null: Option<bool>,
    /// The other way round; both may be asked for, and then both hold.
    pub customer_is_not_null: Option<bool>,
    /// The name contains this, in any case.
    pub profile_name: Option<String>,
    /// The number contains this.
    pub wa_id: Option<String>,
    /// Made at or after.
    pub created_from: Option<Timestamp>,
    /// Made at or before.
    pub created_to: Option<Timestamp>,
}

statements! {
    INSERT = ["INSERT INTO contacts (project_id, id, customer_id, profile_name, name_search, wa_id, user_id, metadata, created_at, updated_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, '{}', $8, $8) ON CONFLICT (project_id, id) DO NOTHING"];
    // Most messages tell nothing new of their sender, and each column here stands in an index.
    SEE = ["UPDATE contacts SET customer_id = COALESCE(customer_id, $3), profile_name = COALESCE($4, profile_name), \
            name_search = COALESCE($5, name_search), wa_id = COALESCE($6, wa_id), user_id = COALESCE($7, user_id), updated_at = $8 \
            WHERE project_id = $1 AND id = $2 AND (customer_id IS DISTINCT FROM COALESCE(customer_id, $3) \
                OR profile_name IS DISTINCT FROM COALESCE($4, profile_name) OR wa_id IS DISTINCT FROM COALESCE($6, wa_id) \
                OR user_id IS DISTINCT FROM COALESCE($7, user_id))"];
    ADD = ["INSERT INTO contacts (project_id, id, customer_id, profile_name, name_search, wa_id, metadata, created_at, updated_at, about_version) \
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1)"];
    CHANGED = ["UPDATE contacts SET about_version = about_version + 1 WHERE project_id = $1 AND id = $2"];
    LOCK = ["UPDATE contacts SET updated_at = updated_at WHERE project_id = $1 AND id = $2 \
             RETURNING id, profile_name, wa_id, user_id, customer_id, metadata, created_at, updated_at"];
    UPDATE = ["UPDATE contacts SET profile_name = $3, name_search = $4, metadata = $5, updated_at = $6, \
               about_version = about_version + 1 WHERE project_id = $1 AND id = $2"];
    LEAVE_CUSTOMER = ["UPDATE contacts SET customer_id = NULL WHERE project_id = $1 AND customer_id = $2"];
    LIST = ["SELECT id, profile_name, wa_id, user_id, customer_id, metadata, created_at, updated_at FROM contacts \
             WHERE project_id = $1 AND (customer_id = $2 OR $2 IS NULL) \
             AND (customer_id IN (SELECT id FROM customers WHERE project_id = $1 AND external_customer_id = $3) OR $3 IS NULL) \
             AND ((customer_id IS NULL) = $4 OR $4 IS NULL) AND ((customer_id IS NOT NULL) = $5 OR $5 IS NULL) \
             AND (name_search LIKE $6 ESCAPE '\\' OR $6 IS NULL) AND (wa_id LIKE $7 ESCAPE '\\' OR $7 IS NULL) \
             AND (created_at >= $8 OR $8 IS NULL) AND (created_at <= $9 OR $9 IS NULL) AND (wa_id IS NOT NULL OR user_id IS NOT NULL) \
             ORDER BY created_at DESC, id DESC LIMIT $10 OFFSET $11"];
    COUNT = ["SELECT count(*) FROM contacts WHERE project_id = $1 AND (customer_id = $2 OR $2 IS NULL) \
              AND (customer_id IN (SELECT id FROM customers WHERE project_id = $1 AND external_customer_id = $3) OR $3 IS NULL) \
              AND ((customer_id IS NULL) = $4 OR $4 IS NULL) AND ((customer_id IS NOT NULL) = $5 OR $5 IS NULL) \
              AND (name_search LIKE $6 ESCAPE '\\' OR $6 IS NULL) AND (wa_id LIKE $7 ESCAPE '\\' OR $7 IS NULL) \
              AND (created_at >= $8 OR $8 IS NULL) AND (created_at <= $9 OR $9 IS NULL) AND (wa_id IS NOT NULL OR user_id IS NOT NULL)"];
    ADD_IDENTITY = ["INSERT INTO contact_identities (project_id, kind, scope, value, contact_id) VALUES ($1, $2, $3, $4, $5) \
                     ON CONFLICT (project_id, kind, scope, value) DO NOTHING"];
    BY_IDENTITY = ["SELECT contact_id FROM contact_identities WHERE project_id = $1 AND kind = $2 AND scope = $3 AND value = $4"];
    KNOWN = ["SELECT contact_id, EXISTS (SELECT 1 FROM contacts WHERE project_id = $1 AND id = contact_id AND wa_id IS NULL \
              AND user_id IS NULL) AS unreachable FROM contact_identities \
              WHERE project_id = $1 AND kind = $2 AND scope = $3 AND value = $4"];
    REACH = ["UPDATE contacts SET updated_at = $3 WHERE project_id = $1 AND id = $2 AND wa_id IS NULL AND user_id IS NULL"];
    FIND = ["SELECT id, profile_name, wa_id, user_id, customer_id, metadata, created_at, updated_at FROM contacts WHERE project_id = $1 AND id = $2"];
}

/// What one event says about a person.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// The name on the profile.
    pub profile_name: Option<String>,
    /// The number as written.
    pub wa_id: Option<String>,
    /// The business-scoped user id.
    pub user_id: Option<String>,
    /// Whose number it came to; who is somebody's contact already stays so.
    pub customer: Option<CustomerId>,
}

/// Finds the person by the first identity that is known, in the order given, or makes them with `new_id`; then records
/// everything seen. `new_id` derives from the first identity, so parallel first messages agree.
pub async fn ensure(
    tx: &mut Tx<'_>,
    project: ProjectId,
    identities: &[Identity],
    new_id: ContactId,
    seen: &Seen,
    now: Timestamp,
) -> Result<ContactId> {
    let mut contact = None;
    let mut known = None;
    for (place, identity) in identities.iter().enumerate() {
        let (scope, value) = (&identity.scope, &identity.value);
        contact = run!(tx, KNOWN, [project.uuid(), identity.kind, scope, value], fetch_optional as (Uuid, bool))?;
        if contact.is_some() {
            known = Some(place);
            break;
        }
    }
    let id = contact.map_or(new_id, |(id, _)| ContactId::from_uuid(id));
    let (name, wa_id, user_id) = (seen.profile_name.as_deref(), seen.wa_id.as_deref(), seen.user_id.as_deref());
    let (search, customer) = (name.map(search::folded), seen.customer.map(CustomerId::uuid));
    let values = (project.uuid(), id.uuid(), customer, name, search.as_deref(), wa_id, user_id, now.micros());
    let v = &values;
    // One that another transaction makes meanwhile is only seen again.
    let made = contact.is_none() && run!(tx, INSERT, [v.0, v.1, v.2, v.3, v.4, v.5, v.6, v.7], execute)? == 1;
    let mut listed = made;
    if !made {
        // From now on somebody can be reached by it: a matter for one transaction alone.
        if contact.is_none_or(|(_, unreachable)| unreachable) {
            listed = run!(tx, REACH, [v.0, v.1, v.7], execute)? == 1;
        }
        run!(tx, SEE, [v.0, v.1, v.2, v.3, v.4, v.5, v.6, v.7], execute)?;
    }
    if listed && (wa_id.is_some() || user_id.is_some()) {
        counters::grew(tx, project, List::Contacts, id.uuid(), 1);
    }
    for (_, identity) in identities.iter().enumerate().filter(|(place, _)| known != Some(*place)) {
        let (scope, value) = (&identity.scope, &identity.value);
        let added = run!(tx, ADD_IDENTITY, [project.uuid(), identity.kind, scope, value, id.uuid()], execute)? == 1;
        // Unknown above and taken now: another transaction made this person under another id, and theirs is the one.
        if !added && contact.is_none() && by_identity(tx, project, identity).await? != Some(id) {
            return Err(Error::Retry("somebody else made this contact".into()));
        }
    }
    Ok(id)
}

/// Who is known by this identity.
pub async fn by_identity(conn: &mut Conn<'_>, project: ProjectId, identity: &Identity) -> Result<Option<ContactId>> {
    let (scope, value) = (&identity.scope, &identity.value);
    let row = run!(conn, BY_IDENTITY, [project.uuid(), identity.kind, scope, value], fetch_optional as (Uuid,))?;
    Ok(row.map(|(id,)| ContactId::from_uuid(id)))
}

/// The contact of this id.
pub async fn find(conn: &mut Conn<'_>, project: ProjectId, id: ContactId) -> Result<Option<ContactRow>> {
    run!(conn, FIND, [project.uuid(), id.uuid()], fetch_optional as ContactRow)
}

/// Stores a contact that was made by hand, with the identity of its number. [`Error::Conflict`] if somebody has it already.
pub async fn insert(tx: &mut Tx<'_>, project: ProjectId, c: &ContactRow, number: &Identity) -> Result<()> {
    let (customer, name, wa_id) = (c.customer_id.map(CustomerId::uuid), c.profile_name.as_deref(), c.wa_id.as_deref());
    let (search, times) = (name.map(search::folded), [c.created_at.micros(), c.updated_at.micros()]);
    run!(tx, ADD, [project.uuid(), c.id.uuid(), customer, name, search.as_deref(), wa_id, &c.metadata, times[0], times[1]], execute)?;
    if wa_id.is_some() {
        counters::grew(tx, project, List::Contacts, c.id.uuid(), 1);
    }
    match run!(tx, ADD_IDENTITY, [project.uuid(), number.kind, &number.scope, &number.value, c.id.uuid()], execute)? {
        0 => Err(Error::Conflict("contact_identities".into())),
        _ => Ok(()),
    }
}

/// The contact of this id, for changing it: other changes wait until the transaction ends.
pub async fn lock(tx: &mut Tx<'_>, project: ProjectId, id: ContactId) -> Result<Option<ContactRow>> {
    run!(tx, LOCK, [project.uuid(), id.uuid()], fetch_optional as ContactRow)
}

/// Writes name and metadata of a row that was locked in the same transaction.
pub async fn update(tx: &mut Tx<'_>, project: ProjectId, c: &ContactRow) -> Result<()> {
    let (name, search) = (c.profile_name.as_deref(), c.profile_name.as_deref().map(search::folded));
    run!(tx, UPDATE, [project.uuid(), c.id.uuid(), name, search.as_deref(), &c.metadata, c.updated_at.micros()], execute).map(drop)
}

/// Something that is told of the contact has changed: who has read it before reads it again.
pub(crate) async fn changed(tx: &mut Tx<'_>, project: ProjectId, id: ContactId) -> Result<()> {
    run!(tx, CHANGED, [project.uuid(), id.uuid()], execute).map(drop)
}

/// A customer's contacts become nobody's.
pub async fn leave_customer(tx: &mut Tx<'_>, project: ProjectId, customer: CustomerId) -> Result<()> {
    run!(tx, LEAVE_CUSTOMER, [project.uuid(), customer.uuid()], execute).map(drop)
}

/// A page of contacts, newest first, and how many match. Those that nobody can be reached by (runs without a person have
/// one) are in no list.
pub async fn list(conn: &mut Conn<'_>, project: ProjectId, f: &Filter, limit: i64, offset: i64) -> Result<(Vec<ContactRow>, i64)> {
    let (customer, external) = (f.customer.map(CustomerId::uuid), f.external_customer_id.as_deref());
    let (null, not_null) = (f.customer_is_null, f.customer_is_not_null);
    let (name, wa_id) = (f.profile_name.as_deref().map(search::containing), f.wa_id.as_deref().map(search::containing));
    let (name, wa_id) = (name.as_deref(), wa_id.as_deref());
    let (from, to) = (f.created_from.map(Timestamp::micros), f.created_to.map(Timestamp::micros));
    let total = count!(conn, COUNT, [project.uuid(), customer, external, null, not_null, name, wa_id, from, to],
        counters::length(conn, project, List::Contacts))?;
    if offset >= total {
        return Ok((Vec::new(), total));
    }
    let rows = filtered!(conn, LIST, [project.uuid(), customer, external, null, not_null, name, wa_id, from, to, limit, offset],
        fetch_all as ContactRow)?;
    Ok((rows, total))
}
