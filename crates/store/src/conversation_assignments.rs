//! Assignments of conversations to people. At most one of a conversation is active; the
//! conversation's row names the same assignee, and both change in one transaction.

use crate::db::{Conn, Result, Tx, rows, run, statements};
use domain::{Timestamp, author::Author, ids::{AssignmentId, ConversationId, ProjectId, UserId}};

rows! {
    /// A stored assignment.
    #[derive(Debug, Clone)]
    pub struct AssignmentRow {
        pub id: AssignmentId,
        pub conversation_id: ConversationId,
        pub user_id: UserId,
        /// False once it is released.
        pub active: bool,
        pub notes: Option<String>,
        /// None if it was created with a key of the operator's.
        pub created_by_user_id: Option<UserId>,
        /// None of assignments of earlier versions.
        pub author: Option<Author>,
        pub created_at: Timestamp,
    }
}

statements! {
    INSERT = ["INSERT INTO conversation_assignments (project_id, id, conversation_id, user_id, active, notes, created_by_user_id, created_at, \
               updated_at, author) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9)"];
    UPDATE = ["UPDATE conversation_assignments SET user_id = $3, active = $4, notes = $5, updated_at = $6 WHERE project_id = $1 AND id = $2"];
    FIND = ["SELECT ", AssignmentRow, " FROM conversation_assignments \
             WHERE project_id = $1 AND conversation_id = $2 AND id = $3"];
    LIST = ["SELECT ", AssignmentRow, " FROM conversation_assignments \
             WHERE project_id = $1 AND conversation_id = $2 ORDER BY created_at DESC, id DESC LIMIT $3 OFFSET $4"];
    COUNT = ["SELECT count(*) FROM conversation_assignments WHERE project_id = $1 AND conversation_id = $2"];
    RELEASE = ["UPDATE conversation_assignments SET active = 0, updated_at = $3 WHERE project_id = $1 AND conversation_id = $2 AND active = 1"];
    MOVE = ["UPDATE conversation_assignments SET conversation_id = $3, updated_at = $4 WHERE project_id = $1 AND conversation_id = $2 AND active = 1"];
}

/// [`crate::Error::Conflict`] if the conversation has an active assignment.
pub async fn insert(tx: &mut Tx<'_>, project: ProjectId, row: &AssignmentRow) -> Result<()> {
    run!(tx, INSERT, [project, row.id, row.conversation_id, row.user_id, i64::from(row.active), row.notes, row.created_by_user_id,
        row.created_at, row.author], execute).map(drop)
}

/// The row must have been read while its conversation was locked.
pub async fn update(tx: &mut Tx<'_>, project: ProjectId, row: &AssignmentRow, now: Timestamp) -> Result<()> {
    run!(tx, UPDATE, [project, row.id, row.user_id, i64::from(row.active), row.notes, now], execute).map(drop)
}

pub async fn find(
    conn: &mut Conn<'_>,
    project: ProjectId,
    conversation: ConversationId,
    id: AssignmentId,
) -> Result<Option<AssignmentRow>> {
    run!(conn, FIND, [project, conversation, id], fetch_optional as AssignmentRow)
}

/// A page of a conversation's assignments, newest first, and their number.
pub async fn list(
    conn: &mut Conn<'_>,
    project: ProjectId,
    conversation: ConversationId,
    limit: i64,
    offset: i64,
) -> Result<(Vec<AssignmentRow>, i64)> {
    let rows = run!(conn, LIST, [project, conversation, limit, offset], fetch_all as AssignmentRow)?;
    let (total,) = run!(conn, COUNT, [project, conversation], fetch_one as (i64,))?;
    Ok((rows, total))
}

pub async fn release(tx: &mut Tx<'_>, project: ProjectId, conversation: ConversationId, now: Timestamp) -> Result<()> {
    run!(tx, RELEASE, [project, conversation, now], execute).map(drop)
}

/// Moves the active assignment to a conversation that has none.
pub async fn move_to(tx: &mut Tx<'_>, project: ProjectId, from: ConversationId, to: ConversationId, now: Timestamp) -> Result<()> {
    run!(tx, MOVE, [project, from, to, now], execute).map(drop)
}
