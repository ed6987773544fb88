//! Sends an entry on behalf of an API request that waits for the result.

use super::attempt;
use crate::Context;
use domain::ids::{OutboxId, ProjectId};
use std::time::Duration;
use store::{
    Error, Result,
    outbox::{self, OutboxRow, OutboxState},
    unscoped::DueOutbox,
};
use tokio::time::Instant;

/// Longest wait of a request for its send.
const PATIENCE: Duration = Duration::from_secs(20);
const POLL_INTERVAL: Duration = Duration::from_millis(25);

/// Sends an entry that is due, unless a worker does, and waits until it is settled, has to wait, or
/// the time is over. Returns the entry as it is then.
pub async fn send_and_wait(ctx: &Context, project: ProjectId, id: OutboxId) -> Result<Option<OutboxRow>> {
    let until = Instant::now() + PATIENCE;
    loop {
        let row = {
            let mut reader = ctx.store.read().await?;
            outbox::find(&mut reader.conn(), project, id).await?
        };
        let Some(row) = row else { return Ok(None) };
        let due = row.state == OutboxState::Queued && row.next_at <= ctx.now();
        let open = due || row.state == OutboxState::Sending;
        if !open || Instant::now() > until {
            return Ok(Some(row));
        }
        let mut changed = false;
        if due {
            let (ctx_, due) = (ctx.clone(), DueOutbox { project_id: project, id, epoch: row.epoch });
            // On a task of its own: a client that disconnects does not abort a request to WhatsApp.
            match tokio::spawn(async move { attempt::run(&ctx_, due, None).await }).await {
                Ok(Ok(()) | Err(Error::StaleEpoch)) => {}
                Ok(Err(error)) => tracing::warn!(%error, "send failed; it stays due"),
                Err(error) => tracing::error!(%error, "send panicked; it stays due"),
            }
            let mut reader = ctx.store.read().await?;
            let now = outbox::find(&mut reader.conn(), project, id).await?;
            changed = now.is_some_and(|now| now.state != row.state);
        }
        if !changed {
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }
}
