//! Reports conversations that have been silent for as long as an endpoint asked.

use crate::{
    Context, hooks,
    worker_step::{BATCH, Did},
};
use domain::conversation::ConversationStatus;
use store::{
    Result, conversations, hook_endpoints, transact,
    unscoped::{self, DueSilence},
};

/// Reports the silences that are due.
pub(crate) async fn step(ctx: &Context) -> Result<Did> {
    let due = {
        let mut reader = ctx.store.read().await?;
        unscoped::due_silences(&mut reader.conn(), ctx.now(), BATCH).await?
    };
    for silence in &due {
        report(ctx, *silence).await?;
    }
    Ok(if due.is_empty() { Did::Nothing } else { Did::Something })
}

/// The event and the end of the silence are one transaction: it is reported once.
async fn report(ctx: &Context, due: DueSilence) -> Result<()> {
    let (project, now) = (due.project_id, ctx.now());
    transact!(ctx.store, "hook.silence", tx => {
        let (endpoint, id) = (due.endpoint_id, due.conversation_id);
        let Some(since) = hook_endpoints::take_silence(tx, project, endpoint, id, now).await? else { return Ok(()) };
        let endpoint = hook_endpoints::find(tx, project, endpoint).await?.filter(|endpoint| endpoint.active);
        let conversation = conversations::find(tx, project, id).await?;
        let conversation = conversation.filter(|row| row.status == ConversationStatus::Active);
        match (endpoint, conversation) {
            (Some(endpoint), Some(row)) => hooks::inactive(ctx, tx, project, &endpoint, &row, since, now).await,
            _ => Ok(()),
        }
    })
}
