//! Delivers the outcome of a send to the execution that waits for it.

use crate::mailbox;
use domain::{Timestamp, ids::ProjectId};
use engine::{Input, SendOutcome};
use store::{Result, Tx, conversations, outbox::OutboxRow};

/// Puts the outcome into the conversation's mailbox, if an execution waits for it.
pub(crate) async fn deliver_outcome(
    tx: &mut Tx<'_>,
    project: ProjectId,
    row: &OutboxRow,
    outcome: SendOutcome,
    now: Timestamp,
) -> Result<()> {
    let Some(effect) = row.effect_id.clone() else { return Ok(()) };
    let Some(conversation) = conversations::next_seq(tx, project, row.conversation_id, now).await? else {
        return Ok(());
    };
    let key = format!("sent:{effect}");
    mailbox::put(tx, project, &conversation, &key, &Input::Sent { effect, outcome }).await?;
    // Unlike other inputs, an outcome does not end a burst of inbound messages.
    conversations::wake(tx, project, row.conversation_id, now, conversation.burst_started_at).await
}
