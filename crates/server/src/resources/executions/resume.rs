//! `POST /agents/{agent_id}/executions/{execution_id}/resume`

use super::{input::Message, view, view::AgentExecution};
use crate::{
    ApiError,
    api::{Data, RequestBody, body},
    auth::ProjectContext,
    change::{Changed, change},
    found::{Found, OrNotFound as _},
};
use axum::extract::Request;
use domain::execution::{ExecutionError, ExecutionInput, ExecutionStatus};
use engine::Input;
use runtime::mailbox::deliver;
use serde::Deserialize;
use store::{contacts, conversations, executions, executions::ExecutionRow};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
pub(super) struct ExecutionResume {
    /// Input to continue with.
    message: Option<Message>,
    /// Resumes only from this interrupt, as named by the execution's `interrupt`; any if absent.
    interrupt_id: Option<String>,
}

impl RequestBody for ExecutionResume {}

/// Resume an execution that is paused, in handoff, or failed with a retryable error
///
/// The agent continues with the message, or with `{"resumed": true}` if there is none. After a handoff
/// it continues in the node before the handoff.
#[utoipa::path(
    post, path = "/agents/{agent_id}/executions/{execution_id}/resume", operation_id = "resume_agent_execution",
    tag = "Agent Executions", request_body = ExecutionResume,
    params(("agent_id", description = "Agent id."), ("execution_id", description = "Execution id.")),
    responses(
        (status = 200, description = "The execution.", body = Data<AgentExecution>),
        (status = 409, description = "`newer_execution`: the conversation has a newer execution; `conversation_assigned`: the conversation is assigned to a person; releasing the assignment resumes the execution; `interrupt_mismatch`: that interrupt is not active"),
        (status = 422, description = "`invalid_transition`: its status does not allow it"),
    )
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(execution): Found<executions::ExecutionRow>,
    request: Request,
) -> Result<Changed<Data<AgentExecution>>, ApiError> {
    let id = execution.id;
    let project = ctx.project;
    let body = body::read::<ExecutionResume>(request).await?;
    let (message, interrupt) = (body.message.map(ExecutionInput::from), body.interrupt_id);
    let changed = change!(ctx, "execution.resume", tx => {
        let now = ctx.now();
        let conversation = conversations::next_seq(tx, project, execution.conversation_id, now).await?;
        let conversation = conversation.ok_or(ApiError::NotFound("Execution"))?;
        // Reloaded under the conversation's lock, because a turn may have changed it.
        let row = executions::find(tx, project, id).await?.found()?;
        if !resumable(&row) {
            let why = format!("Status is {}", row.status.as_str());
            return Err(ApiError::state("invalid_transition", "Execution cannot be resumed", why));
        }
        if let Some(named) = &interrupt
            && !view::state(tx, project, id).await?.is_some_and(|state| state.accepts_resume(Some(named)))
        {
            let why = "that interrupt is not active; read the execution for the active one";
            return Err(ApiError::conflict("interrupt_mismatch", "Execution waits for another interrupt", why));
        }
        if conversation.is_assigned() {
            let why = "release the assignment first";
            return Err(ApiError::conflict("conversation_assigned", "Conversation is assigned to a person", why));
        }
        if conversation.execution_id != Some(id) {
            let why = "only the newest execution of a conversation can be resumed";
            return Err(ApiError::conflict("newer_execution", "Conversation has a newer execution", why));
        }
        let key = format!("resume:{}", ctx.new_uuid());
        let input = Input::Resume { id: key.clone(), message: message.clone(), interrupt: interrupt.clone() };
        if row.status == ExecutionStatus::Handoff {
            // A person gave the conversation back.
            contacts::disclose_again(tx, project, conversation.contact_id).await?;
        }
        // A reply on the shop's phone no longer silences the agent.
        conversations::pause_agent(tx, project, conversation.id, None).await?;
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
