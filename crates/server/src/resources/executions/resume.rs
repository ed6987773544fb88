//! `POST /agents/{agent_id}/executions/{execution_id}/resume`

use super::{input::Message, view, view::AgentExecution};
use crate::{
    ApiError,
    api::{Changed, Data, RequestBody, body, change},
    auth::{ProjectContext, path_id},
};
use axum::extract::{Path, Request};
use domain::{
    execution::{ExecutionError, ExecutionInput, ExecutionStatus},
    ids::AgentId,
};
use engine::Input;
use runtime::mailbox::deliver;
use serde::Deserialize;
use store::{conversations, executions, executions::ExecutionRow};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
pub(super) struct ExecutionResume {
    /// What to go on with.
    message: Option<Message>,
    /// Ends only this rest, as the execution's `interrupt` names it; any when absent.
    interrupt_id: Option<String>,
}

impl RequestBody for ExecutionResume {}

/// Wake a run that is paused, in handoff, or failed with an error that another try may mend
#[utoipa::path(
    post, path = "/agents/{agent_id}/executions/{execution_id}/resume", operation_id = "resume_agent_execution",
    tag = "Agent Executions", request_body = ExecutionResume,
    params(("agent_id", description = "Agent id."), ("execution_id", description = "Execution id.")),
    responses(
        (status = 200, description = "The run.", body = Data<AgentExecution>),
        (status = 409, description = "`newer_execution`: the conversation has a newer execution; `conversation_assigned`: a person has it, and releasing their assignment resumes the run"),
        (status = 422, description = "`invalid_transition`: its status does not allow it"),
    )
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Path((agent_id, execution_id)): Path<(String, String)>,
    request: Request,
) -> Result<Changed<Data<AgentExecution>>, ApiError> {
    let agent: AgentId = path_id(&agent_id, "Execution")?;
    let id = path_id(&execution_id, "Execution")?;
    let project = ctx.project;
    {
        let mut reader = ctx.store.read().await?;
        let row = executions::find(&mut reader.conn(), project, id).await?.filter(|row| row.agent_id == agent);
        row.ok_or(ApiError::NotFound("Execution"))?;
    }
    let body = body::read::<ExecutionResume>(request).await?;
    let (message, interrupt) = (body.message.map(ExecutionInput::from), body.interrupt_id);
    let changed = change!(ctx, "execution.resume", tx => {
        let found = executions::find(tx, project, id).await?.ok_or(ApiError::NotFound("Execution"))?;
        let now = ctx.now();
        let conversation = conversations::next_seq(tx, project, found.conversation_id, now).await?;
        let conversation = conversation.ok_or(ApiError::NotFound("Execution"))?;
        // Read again under the conversation's lock: a turn may have moved it meanwhile.
        let row = executions::find(tx, project, id).await?.ok_or(ApiError::NotFound("Execution"))?;
        if !resumable(&row) {
            return Err(ApiError::State("invalid_transition", format!("the execution cannot be resumed: its status is {}", row.status.as_str())));
        }
        if let Some(named) = &interrupt
            && !view::state(tx, project, id).await?.is_some_and(|state| state.rests_in(Some(named)))
        {
            return Err(ApiError::Conflict("interrupt_mismatch", "the execution does not rest in that interrupt".into()));
        }
        if conversation.is_assigned() {
            return Err(ApiError::Conflict("conversation_assigned", "a person has the conversation; release their assignment first".into()));
        }
        if conversation.execution_id != Some(id) {
            return Err(ApiError::Conflict("newer_execution", "the conversation has a newer execution".into()));
        }
        let key = format!("resume:{}", ctx.new_uuid());
        let input = Input::Resume { id: key.clone(), message: message.clone(), interrupt: interrupt.clone() };
        deliver(tx, project, &conversation, &key, &input, now).await?;
        Ok(Data { data: AgentExecution::of(&row) })
    })?;
    ctx.wake.notify_one();
    Ok(changed)
}

fn resumable(row: &ExecutionRow) -> bool {
    let error = || serde_json::from_str::<ExecutionError>(row.error.as_deref().unwrap_or_default()).ok();
    match row.status {
        ExecutionStatus::Paused | ExecutionStatus::Handoff => true,
        ExecutionStatus::Failed => error().is_some_and(|error| error.retryable),
        _ => false,
    }
}
