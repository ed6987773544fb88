//! Identifiers of contacts. Each belongs to one contact; a contact has several.

use crate::db::{Conn, Result, Tx, rows, run, statements, stored_words};
use domain::{words, ids::{ContactId, ProjectId}};

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

    pub fn user_id(waba_id: impl Into<String>, user_id: impl Into<String>) -> Self {
        Self { kind: IdentityKind::Bsuid, scope: waba_id.into(), value: user_id.into() }
    }
}

rows! {
    /// The contact that an identity leads to.
    #[derive(Debug, Clone)]
    pub(crate) struct HolderRow {
        pub(crate) contact_id: ContactId,
        /// The contact has had another identity of this kind since.
        pub(crate) former: bool,
        pub(crate) wa_id: Option<String>,
        pub(crate) user_id: Option<String>,
    }
}

statements! {
    ADD = ["INSERT INTO contact_identities (project_id, kind, scope, value, contact_id) VALUES ($1, $2, $3, $4, $5) \
            ON CONFLICT (project_id, kind, scope, value) DO NOTHING"];
    TAKE = ["INSERT INTO contact_identities (project_id, kind, scope, value, contact_id) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (project_id, kind, scope, value) DO UPDATE SET contact_id = excluded.contact_id, former = 0"];
    FIND = ["SELECT contact_id FROM contact_identities WHERE project_id = $1 AND kind = $2 AND scope = $3 AND value = $4"];
    HOLDER = ["SELECT contact_id, former = 1 AS former, (SELECT wa_id FROM contacts WHERE project_id = $1 AND id = contact_id) AS wa_id, \
                   (SELECT user_id FROM contacts WHERE project_id = $1 AND id = contact_id) AS user_id \
               FROM contact_identities WHERE project_id = $1 AND kind = $2 AND scope = $3 AND value = $4"];
    PRESENT = ["SELECT value FROM contact_identities WHERE project_id = $1 AND contact_id = $2 AND kind = $3 AND scope = $4 AND former = 0"];
    RETIRE_OTHERS = ["UPDATE contact_identities SET former = 1 WHERE project_id = $1 AND contact_id = $2 AND kind = $3 AND scope = $4 \
                      AND value <> $5 AND former = 0"];
    MOVE = ["UPDATE contact_identities SET contact_id = $3 WHERE project_id = $1 AND contact_id = $2"];
}

pub async fn find(conn: &mut Conn<'_>, project: ProjectId, identity: &Identity) -> Result<Option<ContactId>> {
    let row = run!(conn, FIND, [project, identity.kind, identity.scope, identity.value], fetch_optional as (ContactId,))?;
    Ok(row.map(|(id,)| id))
}

pub(crate) async fn holder(conn: &mut Conn<'_>, project: ProjectId, identity: &Identity) -> Result<Option<HolderRow>> {
    run!(conn, HOLDER, [project, identity.kind, identity.scope, identity.value], fetch_optional as HolderRow)
}

/// True if the contact has a present identity of this one's kind and scope.
pub(crate) async fn has_of_kind(conn: &mut Conn<'_>, project: ProjectId, contact: ContactId, like: &Identity) -> Result<bool> {
    let row = run!(conn, PRESENT, [project, contact, like.kind, like.scope], fetch_optional as (String,))?;
    Ok(row.is_some())
}

/// `false` if a contact has it already.
pub(crate) async fn add(tx: &mut Tx<'_>, project: ProjectId, identity: &Identity, contact: ContactId) -> Result<bool> {
    Ok(run!(tx, ADD, [project, identity.kind, identity.scope, identity.value, contact], execute)? == 1)
}

/// Gives the contact the identity, also if another one has it; its earlier ones of the same kind become former.
pub(crate) async fn take(tx: &mut Tx<'_>, project: ProjectId, identity: &Identity, contact: ContactId) -> Result<()> {
    run!(tx, TAKE, [project, identity.kind, identity.scope, identity.value, contact], execute)?;
    retire_others(tx, project, identity, contact).await
}

/// Marks the contact's other identities of this kind and scope as former.
pub(crate) async fn retire_others(tx: &mut Tx<'_>, project: ProjectId, identity: &Identity, contact: ContactId) -> Result<()> {
    run!(tx, RETIRE_OTHERS, [project, contact, identity.kind, identity.scope, identity.value], execute).map(drop)
}

/// Gives `to` every identity of `from`.
pub(crate) async fn move_all(tx: &mut Tx<'_>, project: ProjectId, from: ContactId, to: ContactId) -> Result<()> {
    run!(tx, MOVE, [project, from, to], execute).map(drop)
}
