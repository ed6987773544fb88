//! Delivers inputs to executions through the mailbox of their conversation.

use crate::json::to_json;
use domain::{Timestamp, ids::ProjectId};
use engine::Input;
use store::{
    Result, Tx,
    conversations::{self, ConversationRow},
    mailbox::{self, MailRow},
};

/// Stores an input and makes the conversation due now. The row must be locked; its `next_seq` is
/// the input's place. An input whose key is waiting already is stored once.
pub async fn deliver(
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: &ConversationRow,
    key: &str,
    input: &Input,
    now: Timestamp,
) -> Result<()> {
    put(tx, project, conversation, key, input).await?;
    conversations::wake(tx, project, conversation.id, now, None).await
}

/// Stores an input and leaves the due time as it is: see [`deliver`].
pub async fn put(
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: &ConversationRow,
    key: &str,
    input: &Input,
) -> Result<()> {
    let row = MailRow { seq: conversation.next_seq, input_key: key.to_owned(), body: to_json("input", input)? };
    mailbox::put(tx, project, conversation.id, &row).await.map(drop)
}
