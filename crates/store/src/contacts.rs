//! People on WhatsApp and the identifiers they are known by.
//!
//! A phone number is never a key: it may be hidden, and it may change (reliability.md 3.1).

use crate::{Conn, Error, Result, Tx, row::rows, sql::{run, statements}};
use domain::{Timestamp, ids::{ContactId, ProjectId}};
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
    }
}

statements! {
    INSERT = ["INSERT INTO contacts (project_id, id, profile_name, wa_id, user_id, created_at, updated_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $6) ON CONFLICT (project_id, id) DO UPDATE SET \
               profile_name = COALESCE(excluded.profile_name, contacts.profile_name), \
               wa_id = COALESCE(excluded.wa_id, contacts.wa_id), user_id = COALESCE(excluded.user_id, contacts.user_id), \
               updated_at = excluded.updated_at"];
    ADD_IDENTITY = ["INSERT INTO contact_identities (project_id, kind, scope, value, contact_id) VALUES ($1, $2, $3, $4, $5) \
                     ON CONFLICT (project_id, kind, scope, value) DO NOTHING"];
    BY_IDENTITY = ["SELECT contact_id FROM contact_identities WHERE project_id = $1 AND kind = $2 AND scope = $3 AND value = $4"];
    FIND = ["SELECT id, profile_name, wa_id, user_id FROM contacts WHERE project_id = $1 AND id = $2"];
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
        contact = by_identity(tx, project, identity).await?;
        if contact.is_some() {
            known = Some(place);
            break;
        }
    }
    let id = contact.unwrap_or(new_id);
    let (name, wa_id, user_id) = (seen.profile_name.as_deref(), seen.wa_id.as_deref(), seen.user_id.as_deref());
    run!(tx, INSERT, [project.uuid(), id.uuid(), name, wa_id, user_id, now.micros()], execute)?;
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
