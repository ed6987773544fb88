//! Notes about contacts.

use crate::{contacts, db::{Conn, Result, Tx, rows, run, statements}};
use domain::{Timestamp, author::Author, ids::{ContactId, ContactNoteId, ProjectId}};

rows! {
    #[derive(Debug, Clone)]
    pub struct ContactNoteRow {
        pub id: ContactNoteId,
        pub name: Option<String>,
        pub content: String,
        /// A JSON object.
        pub metadata: String,
        /// None of notes of earlier versions.
        pub author: Option<Author>,
        pub created_at: Timestamp,
        pub updated_at: Timestamp,
    }
}

statements! {
    INSERT = ["INSERT INTO contact_notes (project_id, id, contact_id, name, content, metadata, created_at, updated_at, author) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"];
    FIND = ["SELECT ", ContactNoteRow, " FROM contact_notes \
             WHERE project_id = $1 AND contact_id = $2 AND id = $3"];
    LOCK = ["UPDATE contact_notes SET updated_at = updated_at WHERE project_id = $1 AND contact_id = $2 AND id = $3 \
             RETURNING ", ContactNoteRow];
    UPDATE = ["UPDATE contact_notes SET name = $3, content = $4, metadata = $5, updated_at = $6 WHERE project_id = $1 AND id = $2"];
    DELETE = ["DELETE FROM contact_notes WHERE project_id = $1 AND contact_id = $2 AND id = $3"];
    LIST = ["SELECT ", ContactNoteRow, " FROM contact_notes \
             WHERE project_id = $1 AND contact_id = $2 ORDER BY created_at DESC, id DESC LIMIT $3 OFFSET $4"];
    COUNT = ["SELECT count(*) FROM contact_notes WHERE project_id = $1 AND contact_id = $2"];
}

pub async fn insert(tx: &mut Tx<'_>, project: ProjectId, contact: ContactId, n: &ContactNoteRow) -> Result<()> {
    run!(tx, INSERT, [project, n.id, contact, n.name, n.content, n.metadata, n.created_at, n.updated_at, n.author], execute)?;
    contacts::changed(tx, project, contact).await
}

pub async fn find(conn: &mut Conn<'_>, project: ProjectId, contact: ContactId, id: ContactNoteId) -> Result<Option<ContactNoteRow>> {
    run!(conn, FIND, [project, contact, id], fetch_optional as ContactNoteRow)
}

/// Reads and locks a note until the transaction ends.
pub async fn lock(tx: &mut Tx<'_>, project: ProjectId, contact: ContactId, id: ContactNoteId) -> Result<Option<ContactNoteRow>> {
    run!(tx, LOCK, [project, contact, id], fetch_optional as ContactNoteRow)
}

/// The row must have been locked in the same transaction.
pub async fn update(tx: &mut Tx<'_>, project: ProjectId, contact: ContactId, n: &ContactNoteRow) -> Result<()> {
    run!(tx, UPDATE, [project, n.id, n.name, n.content, n.metadata, n.updated_at], execute)?;
    contacts::changed(tx, project, contact).await
}

/// `false` if there is no such note.
pub async fn delete(tx: &mut Tx<'_>, project: ProjectId, contact: ContactId, id: ContactNoteId) -> Result<bool> {
    let deleted = run!(tx, DELETE, [project, contact, id], execute)? == 1;
    contacts::changed(tx, project, contact).await?;
    Ok(deleted)
}

/// A page of a contact's notes, newest first, and their number.
pub async fn list(
    conn: &mut Conn<'_>,
    project: ProjectId,
    contact: ContactId,
    (limit, offset): (i64, i64),
) -> Result<(Vec<ContactNoteRow>, i64)> {
    let rows = run!(conn, LIST, [project, contact, limit, offset], fetch_all as ContactNoteRow)?;
    let (total,) = run!(conn, COUNT, [project, contact], fetch_one as (i64,))?;
    Ok((rows, total))
}
