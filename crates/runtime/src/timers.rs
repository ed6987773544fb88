//! Turns a due timer into an input of its execution.

use crate::{
    Context, failpoint,
    mailbox::mail,
    workers::{BATCH, Did, wait_after},
};
use domain::Timestamp;
use engine::Input;
use store::{
    conversations, mailbox, timers, transact,
    unscoped::{self, DueRow},
};

/// Fires timers that are due. One that cannot be fired is put off; an error means that not even that was possible.
pub(crate) async fn step(ctx: &Context) -> store::Result<Did> {
    let now = ctx.now();
    let due = {
        let mut reader = ctx.store.read().await?;
        unscoped::due_timers(&mut reader.conn(), now, BATCH).await?
    };
    for row in &due {
        if let Err(error) = fire(ctx, *row, now).await {
            tracing::warn!(timer = %row.id, %error, "a timer cannot be fired; it is put off");
            let until = now + wait_after(&error);
            transact!(ctx.store, "timer.postpone", tx => timers::postpone(tx, *row, now, until).await)?;
        }
    }
    Ok(if due.is_empty() { Did::Nothing } else { Did::Something })
}

async fn fire(ctx: &Context, row: DueRow, now: Timestamp) -> store::Result<()> {
    transact!(ctx.store, "timer.fire", tx => {
        let Some(timer) = timers::take(tx, row, now).await? else { return Ok(()) };
        let Some(conversation) = conversations::next_seq(tx, row.project_id, timer.conversation_id, now).await? else { return Ok(()) };
        let key = format!("timer:{}:{}", timer.execution_id, timer.generation);
        let mail = mail(conversation.next_seq, key, &Input::Timer { generation: timer.generation })?;
        mailbox::put(tx, row.project_id, timer.conversation_id, &mail).await?;
        conversations::wake(tx, row.project_id, timer.conversation_id, now, None).await?;
        failpoint::reach("timer.commit");
        Ok(())
    })?;
    failpoint::reach("timer.committed");
    ctx.wake.notify_one();
    Ok(())
}
