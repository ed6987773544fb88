//! Edits and deletions of messages by their author, and changes that wait for their message.

use crate::db::{Conn, Result, Tx, run, statements};
use domain::{Timestamp, ids::{ConversationId, MessageId, ProjectId}};

/// A message's new text.
#[derive(Debug, Clone)]
pub struct NewText<'a> {
    pub content: &'a str,
    /// Meta's element with it.
    pub raw: &'a str,
    /// JSON of the texts before it.
    pub earlier: &'a str,
    /// Meta's time.
    pub at: Timestamp,
    pub now: Timestamp,
}

/// A change whose message has not arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingChange<'a> {
    pub phone_number_id: &'a str,
    /// Meta's id of the message.
    pub wamid: &'a str,
    pub body: &'a str,
    pub is_deletion: bool,
    /// Meta's time.
    pub changed_at: Timestamp,
}

statements! {
    EDIT = ["UPDATE messages SET content = $3, raw = $4, earlier_texts = $5, edited_at = $6, updated_at = $7 WHERE project_id = $1 AND id = $2"];
    DELETE = ["UPDATE messages SET content = '', raw = $3, media = NULL, error = NULL, earlier_texts = NULL, edited_at = NULL, \
               deleted_at = $4, updated_at = $5 WHERE project_id = $1 AND id = $2"];
    NOTE_DELETED = ["INSERT INTO deleted_wamids (project_id, conversation_id, wamid) VALUES ($1, $2, $3) \
                     ON CONFLICT (project_id, conversation_id, wamid) DO NOTHING"];
    DELETED_IDS = ["SELECT wamid FROM deleted_wamids WHERE project_id = $1 AND conversation_id = $2"];
    WAIT = ["INSERT INTO waiting_changes (project_id, phone_number_id, wamid, body, is_deletion, changed_at, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (project_id, phone_number_id, wamid) DO UPDATE SET \
             body = excluded.body, is_deletion = excluded.is_deletion, changed_at = excluded.changed_at \
             WHERE waiting_changes.is_deletion = 0 AND (excluded.is_deletion = 1 OR excluded.changed_at >= waiting_changes.changed_at)"];
    TAKE = ["DELETE FROM waiting_changes WHERE project_id = $1 AND phone_number_id = $2 AND wamid = $3 RETURNING body"];
}

/// Gives a message its new text.
pub async fn edit(tx: &mut Tx<'_>, project: ProjectId, id: MessageId, new: &NewText<'_>) -> Result<()> {
    run!(tx, EDIT, [project, id, new.content, new.raw, new.earlier, new.at, new.now], execute).map(drop)
}

/// Removes the content of a message, with its earlier texts. `raw` is what is left of Meta's
/// element, `at` is Meta's time.
pub async fn delete(tx: &mut Tx<'_>, project: ProjectId, id: MessageId, raw: &str, at: Timestamp, now: Timestamp) -> Result<()> {
    run!(tx, DELETE, [project, id, raw, at, now], execute).map(drop)
}

/// Notes Meta's id of a deleted message, or of one of its edits: the trace must not show its text.
pub async fn note_deleted(tx: &mut Tx<'_>, project: ProjectId, conversation: ConversationId, wamid: &str) -> Result<()> {
    run!(tx, NOTE_DELETED, [project, conversation, wamid], execute).map(drop)
}

/// Ids of the deleted messages of a conversation, and of their edits.
pub async fn deleted_ids(conn: &mut Conn<'_>, project: ProjectId, conversation: ConversationId) -> Result<Vec<String>> {
    let rows = run!(conn, DELETED_IDS, [project, conversation], fetch_all as (String,))?;
    Ok(rows.into_iter().map(|(wamid,)| wamid).collect())
}

/// Keeps a change until its message arrives. Of several the newest stays; a deletion is final.
pub async fn wait(tx: &mut Tx<'_>, project: ProjectId, c: &WaitingChange<'_>, now: Timestamp) -> Result<()> {
    run!(tx, WAIT, [project, c.phone_number_id, c.wamid, c.body, i64::from(c.is_deletion), c.changed_at, now], execute).map(drop)
}

/// Takes the change that waits for a message.
pub async fn take(tx: &mut Tx<'_>, project: ProjectId, phone_number_id: &str, wamid: &str) -> Result<Option<String>> {
    let row = run!(tx, TAKE, [project, phone_number_id, wamid], fetch_optional as (String,))?;
    Ok(row.map(|(body,)| body))
}
