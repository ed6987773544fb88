//! Inputs of a conversation that no step has consumed yet. A row is deleted in the commit that
//! consumes it, so a crash neither loses nor repeats one.

use crate::db::{Conn, Result, Tx, rows, run, statements};
use domain::ids::{ConversationId, ProjectId};

rows! {
    /// A waiting input; what it holds is the server's business.
    #[derive(Debug, Clone)]
    pub struct MailRow {
        /// Its place in the conversation.
        pub seq: i64,
        /// Names it once: a second input with the same key is the same input.
        pub input_key: String,
        pub body: String,
    }
}

statements! {
    PUT = ["INSERT INTO mailbox (project_id, conversation_id, seq, input_key, body) VALUES ($1, $2, $3, $4, $5) \
            ON CONFLICT (project_id, conversation_id, input_key) DO NOTHING"];
    PEEK = ["SELECT ", MailRow, " FROM mailbox WHERE project_id = $1 AND conversation_id = $2 ORDER BY seq"];
    REPLACE = ["UPDATE mailbox SET body = $4 WHERE project_id = $1 AND conversation_id = $2 AND input_key = $3"];
    WITHDRAW = ["DELETE FROM mailbox WHERE project_id = $1 AND conversation_id = $2 AND input_key = $3"];
    TAKE = ["DELETE FROM mailbox WHERE project_id = $1 AND conversation_id = $2 RETURNING ", MailRow];
}

/// Puts an input; `false` if one of this key waits already.
pub async fn put(tx: &mut Tx<'_>, project: ProjectId, conversation: ConversationId, row: &MailRow) -> Result<bool> {
    Ok(run!(tx, PUT, [project, conversation, row.seq, row.input_key, row.body], execute)? == 1)
}

/// Takes all inputs, in order. Call it under the conversation's epoch.
pub async fn take(tx: &mut Tx<'_>, project: ProjectId, conversation: ConversationId) -> Result<Vec<MailRow>> {
    let mut rows = run!(tx, TAKE, [project, conversation], fetch_all as MailRow)?;
    rows.sort_by_key(|row| row.seq);
    Ok(rows)
}

/// The waiting inputs, in order.
pub async fn peek(conn: &mut Conn<'_>, project: ProjectId, conversation: ConversationId) -> Result<Vec<MailRow>> {
    run!(conn, PEEK, [project, conversation], fetch_all as MailRow)
}

/// Replaces a waiting input; `false` if none of this key waits.
pub async fn replace(tx: &mut Tx<'_>, project: ProjectId, conversation: ConversationId, key: &str, body: &str) -> Result<bool> {
    Ok(run!(tx, REPLACE, [project, conversation, key, body], execute)? == 1)
}

/// Removes a waiting input; `false` if none of this key waits.
pub async fn withdraw(tx: &mut Tx<'_>, project: ProjectId, conversation: ConversationId, key: &str) -> Result<bool> {
    Ok(run!(tx, WITHDRAW, [project, conversation, key], execute)? == 1)
}
