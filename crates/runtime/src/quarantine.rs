//! Quarantine of a restored database.
//!
//! The original went on after the backup: it may have sent what was queued and answered what was
//! due. So nothing that was open in the backup is done again. Sends are settled as unconfirmed; due
//! conversations wait for the contact's next message, which continues their execution with
//! everything that is unread.

use crate::{
    json::from_json,
    mailbox,
    outbox::{EntryContent, Payload},
};
use domain::{Timestamp, ids::ProjectId};
use engine::{Input, SendOutcome};
use serde_json::json;
use store::{
    Result, Store, Tx, conversations, outbox,
    outbox::OutboxRow,
    timers, transact,
    unscoped::{self, DueOutbox},
    uploads,
};

/// The error code of a send that was open in the backup.
const UNCONFIRMED: &str = "unconfirmed_after_restore";

/// Entries per transaction.
const BATCH: i64 = 200;

/// Counts of what was open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Quarantined {
    /// Sends that are now unconfirmed.
    pub sends: usize,
    /// Conversations that wait for the contact's next message.
    pub conversations: usize,
}

/// Runs on a database that no node uses. May be repeated.
pub async fn run(store: &Store, now: Timestamp) -> Result<Quarantined> {
    let mut done = Quarantined::default();
    loop {
        let batch = transact!(store, "quarantine.sends", tx => {
            let batch = unscoped::unsettled_outbox(tx, BATCH).await?;
            for entry in &batch {
                settle(tx, *entry, now).await?;
            }
            Result::Ok(batch.len())
        })?;
        if batch == 0 {
            break;
        }
        done.sends += batch;
    }
    done.conversations = transact!(store, "quarantine.conversations", tx => {
        let paused = unscoped::pause_due_conversations(tx, now).await?;
        for conversation in &paused {
            // It would answer late, when the wait ends.
            if let Some(execution) = conversation.execution_id {
                timers::clear(tx, conversation.project_id, execution).await?;
            }
        }
        Result::Ok(paused.len())
    })?;
    Ok(done)
}

async fn settle(tx: &mut Tx<'_>, entry: DueOutbox, now: Timestamp) -> Result<()> {
    let message = "not settled when the backup was made; it may have been sent";
    let error = json!({"code": UNCONFIRMED, "message": message}).to_string();
    let project = entry.project_id;
    let Some(row) = outbox::quarantine(tx, project, entry.id, &error, now).await? else { return Ok(()) };
    outbox::end_attempt(tx, project, &row, &outbox::Settlement::Unconfirmed, now).await?;
    if let Ok(Payload { content: EntryContent::File { file }, .. }) = from_json("payload", &row.payload) {
        uploads::delete(tx, project, file.upload).await?;
    }
    deliver(tx, project, &row, now).await
}

/// Puts the outcome into the mailbox of the execution that waits for it, without making its
/// conversation due: the original has continued this execution.
async fn deliver(tx: &mut Tx<'_>, project: ProjectId, row: &OutboxRow, now: Timestamp) -> Result<()> {
    let (Some(effect), Some(_)) = (row.effect_id.clone(), row.execution_id) else { return Ok(()) };
    let Some(conversation) = conversations::lock(tx, project, row.conversation_id, now).await? else { return Ok(()) };
    let key = format!("sent:{effect}");
    let outcome = SendOutcome::Unconfirmed { message_id: row.message_id.to_string() };
    mailbox::put(tx, project, &conversation, &key, &Input::Sent { effect, outcome }).await
}
