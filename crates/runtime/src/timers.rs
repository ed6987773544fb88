//! Delivers a due timer to its execution.

use crate::{
    Context, failpoint,
    mailbox::deliver,
    worker_step::{BATCH, Did, retry_delay},
};
use domain::Timestamp;
use engine::Input;
use store::{
    conversations, timers, transact,
    unscoped::{self, DueRow},
};

/// Fires due timers. One that fails is postponed; an error means that it could not be postponed
/// either.
pub(crate) async fn step(ctx: &Context) -> store::Result<Did> {
    let now = ctx.now();
    let due = {
        let mut reader = ctx.store.read().await?;
        unscoped::due_timers(&mut reader.conn(), now, BATCH).await?
    };
    for row in &due {
        if let Err(error) = fire(ctx, *row, now).await {
            tracing::warn!(timer = %row.id, %error, "timer failed; it is postponed");
            let until = now + retry_delay(&error);
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
        let input = Input::Timer { generation: timer.generation };
        deliver(tx, row.project_id, &conversation, &key, &input, now).await?;
        failpoint::reach("timer.commit");
        Ok(())
    })?;
    failpoint::reach("timer.committed");
    ctx.wake.notify_one();
    Ok(())
}
