//! Ends the execution of a conversation without its agent.

use super::{
    loaded_execution::{LoadAgent, LoadedExecution},
    step,
};
use crate::{Context, json::from_json};
use domain::ids::{ConversationId, ProjectId};
use engine::Input;
use store::{Result, Tx, conversations, mailbox};

/// Takes the conversation from any worker and ends its execution, or the one that its mailbox would
/// start. Inputs in the mailbox are dropped, because one of them may be what ends the process;
/// messages stay in the conversation.
pub(crate) async fn force_end(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    id: ConversationId,
    input: Input,
) -> Result<()> {
    let now = ctx.now();
    let Some(conversation) = conversations::seize(tx, project, id).await? else { return Ok(()) };
    let rows = mailbox::take(tx, project, id).await?;
    // Outcomes of sends matter to the execution that ends, and to no other.
    let read = rows.iter().filter_map(|row| from_json("input", &row.body).ok());
    let mut dropped = read.filter(|input| !matches!(input, Input::Sent { .. })).collect();
    let execution =
        LoadedExecution::load(ctx, tx, project, &conversation, &mut dropped, None, LoadAgent::No, now).await?;
    let mut ended = None;
    if let Some(mut execution) = execution {
        let (before, inputs) = (execution.state.status(), [input]);
        if !before.is_over() {
            let made = execution.advance(now, &inputs);
            execution.record(ctx, tx, project, &conversation, &made, &inputs, now).await?;
            execution.save(ctx, tx, project, before, now).await?;
        }
        ended = Some(execution.id);
    }
    step::release(tx, project, &conversation, ended, None, false).await
}
