//! `POST /agents/{agent_id}/executions/{execution_id}/resume`

use super::{input, view};
use crate::{
    ApiError,
    auth::{ProjectContext, path_id},
    body, workers,
};
use axum::{
    Json,
    extract::{Path, Request},
};
use domain::{execution::ExecutionError, execution::ExecutionStatus, ids::AgentId};
use engine::Input;
use serde_json::{Value, json};
use store::{conversations, executions, executions::ExecutionRow, mailbox, transact};

/// Wakes a run that is paused, in handoff, or failed with an error that another try may mend.
pub(crate) async fn handle(
    ctx: ProjectContext,
    Path((agent_id, execution_id)): Path<(String, String)>,
    request: Request,
) -> Result<Json<Value>, ApiError> {
    let agent: AgentId = path_id(&agent_id, "Execution")?;
    let id = path_id(&execution_id, "Execution")?;
    let project = ctx.project;
    {
        let mut reader = ctx.store.read().await?;
        let row = executions::find(&mut reader.conn(), project, id).await?.filter(|row| row.agent_id == agent);
        row.ok_or(ApiError::NotFound("Execution"))?;
    }
    let message = input::read(body::object(request, body::API_LIMIT).await?.remove("message"))?;
    let row = transact!(ctx.store, "execution.resume", ApiError, tx => {
        let found = executions::find(tx, project, id).await?.ok_or(ApiError::NotFound("Execution"))?;
        let now = ctx.now();
        let conversation = conversations::next_seq(tx, project, found.conversation_id, now).await?;
        let conversation = conversation.ok_or(ApiError::NotFound("Execution"))?;
        // Read again under the conversation's lock: a turn may have moved it meanwhile.
        let row = executions::find(tx, project, id).await?.ok_or(ApiError::NotFound("Execution"))?;
        if !resumable(&row) {
            return Err(ApiError::State("invalid_transition", format!("the execution cannot be resumed: its status is {}", row.status)));
        }
        if conversation.execution() != Some(id) {
            return Err(ApiError::Conflict("newer_execution", "the conversation has a newer execution".into()));
        }
        let key = format!("resume:{}", ctx.new_uuid());
        let input = Input::Resume { id: key.clone(), message: message.clone() };
        mailbox::put(tx, project, conversation.id, &workers::mail(conversation.next_seq, key, &input)?).await?;
        conversations::wake(tx, project, conversation.id, now, None).await?;
        Ok(row)
    })?;
    ctx.wake.notify_one();
    Ok(Json(json!({"data": view::view(&row)})))
}

fn resumable(row: &ExecutionRow) -> bool {
    let error = || serde_json::from_str::<ExecutionError>(row.error.as_deref().unwrap_or_default()).ok();
    match row.status.parse() {
        Ok(ExecutionStatus::Paused | ExecutionStatus::Handoff) => true,
        Ok(ExecutionStatus::Failed) => error().is_some_and(|error| error.retryable),
        _ => false,
    }
}
