//! Speaks to a person beside the agent: lets an agent that is at it know, and carries a send out while its request waits.

use crate::{Context, mailbox::mail, workers::Work};
use domain::ids::{OutboxId, ProjectId};
use engine::Input;
use std::time::Duration;
use store::{
    Error, Result, Tx,
    conversations::ConversationRow,
    executions, mailbox,
    outbox::{self, OutboxRow, OutboxState},
    unscoped::DueOutbox,
};
use tokio::time::Instant;

/// How long a request waits for its send to end.
const PATIENCE: Duration = Duration::from_secs(20);
const LOOK_AGAIN: Duration = Duration::from_millis(25);

/// An agent that is at it reads what was said in its name before the person's next words. It is not woken for that.
pub async fn overhear(
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: &ConversationRow,
    source_key: &str,
    text: &str,
) -> Result<()> {
    let Some(execution) = conversation.execution_id else { return Ok(()) };
    let row = executions::find(tx, project, execution).await?;
    if row.is_none_or(|row| row.status.is_over()) {
        return Ok(());
    }
    let input = Input::Outside { id: source_key.to_owned(), text: text.to_owned() };
    let mail = mail(conversation.next_seq, source_key.to_owned(), &input)?;
    mailbox::put(tx, project, conversation.id, &mail).await.map(drop)
}

/// Carries a send out if it is its turn and nobody does it yet, and waits for its end for as long as that may come at once.
/// The row as it is then.
pub async fn carry_out(ctx: &Context, project: ProjectId, id: OutboxId) -> Result<Option<OutboxRow>> {
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
        let mut moved = false;
        if due {
            let work = Work::Send(DueOutbox { project_id: project, id, epoch: row.epoch });
            // On a task of its own: a client that goes away leaves no request half made.
            match tokio::spawn(work.carry_out(ctx.clone())).await {
                Ok(Ok(()) | Err(Error::StaleEpoch)) => {}
                Ok(Err(error)) => tracing::warn!(%error, "a send failed; it stays due"),
                Err(error) => tracing::error!(%error, "a send panicked; it stays due"),
            }
            let mut reader = ctx.store.read().await?;
            let now = outbox::find(&mut reader.conn(), project, id).await?;
            moved = now.is_some_and(|now| now.state != row.state);
        }
        if !moved {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }
}
