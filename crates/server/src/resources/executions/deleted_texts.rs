//! Texts that the trace of an execution must not show: the contact deleted them.

use crate::AppState;
use domain::ids::{ExecutionId, ProjectId};
use engine::Event;
use runtime::deleted_text::{self, DeletedTexts};
use store::{Result, executions};

pub(super) async fn deleted_texts(ctx: &AppState, project: ProjectId, id: ExecutionId) -> Result<DeletedTexts> {
    let mut reader = ctx.store.read().await?;
    let mut conn = reader.conn();
    let Some(execution) = executions::find(&mut conn, project, id).await? else { return Ok(DeletedTexts::default()) };
    deleted_text::of_execution(&mut conn, project, execution.conversation_id, id).await
}

pub(super) fn mask_events(deleted: &DeletedTexts, events: &mut [Event]) {
    if !deleted.is_empty() {
        events.iter_mut().for_each(|event| {
            deleted.mask_value(&mut event.data);
        });
    }
}
