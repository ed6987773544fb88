//! Delivers inputs to executions through the mailbox of their conversation.

use crate::{
    deleted_text::DeletedTexts,
    json::{from_json, to_json},
};
use domain::{
    Timestamp,
    ids::{ConversationId, ProjectId},
};
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

/// Replaces a message of the contact that waits; `false` if it was taken.
pub async fn replace_message(
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: ConversationId,
    key: &str,
    input: &Input,
) -> Result<bool> {
    mailbox::replace(tx, project, conversation, key, &to_json("input", input)?).await
}

/// Removes messages that the contact deleted, and masks their texts in inputs that quote them.
/// Returns true if the first one was waiting.
pub async fn withdraw(
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: ConversationId,
    ids: &[String],
    texts: &DeletedTexts,
) -> Result<bool> {
    let mut withdrawn = false;
    for row in mailbox::peek(tx, project, conversation).await? {
        if ids.contains(&row.input_key) {
            mailbox::withdraw(tx, project, conversation, &row.input_key).await?;
            withdrawn |= ids.first() == Some(&row.input_key);
            continue;
        }
        let mut input: Input = from_json("input", &row.body)?;
        let (Input::Message { text, .. } | Input::Edited { text, .. }) = &mut input else { continue };
        let masked = texts.without_quotes(text);
        let is_changed = masked != *text;
        *text = masked;
        if is_changed {
            mailbox::replace(tx, project, conversation, &row.input_key, &to_json("input", &input)?).await?;
        }
    }
    Ok(withdrawn)
}
