//! `PUT /agents/{agent_id}/executions/{execution_id}`

use super::view::{AgentExecution, AgentExecutionStatus};
use crate::{
    ApiError,
    api::{Data, RequestBody, body},
    auth::ProjectContext,
    change::{Changed, change},
    found::{Found, OrNotFound as _},
};
use axum::extract::Request;
use domain::execution::ExecutionStatus;
use engine::Input;
use runtime::{mailbox::deliver, turn};
use serde::Deserialize;
use store::{conversations, executions};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
pub(super) struct ExecutionUpdate {
    agent_execution: NewStatus,
}

#[derive(Deserialize, ToSchema)]
struct NewStatus {
    #[schema(value_type = AgentExecutionStatus)]
    status: ExecutionStatus,
    /// Reason stored with the change.
    #[schema(max_length = 500)]
    reason: Option<String>,
}

impl RequestBody for ExecutionUpdate {
    const WRAPPER: &'static [&'static str] = &["agent_execution", "execution"];
}

/// Set the status of an execution
///
/// Applies at once if the execution waits, otherwise at the next safe point. A pending model call
/// is abandoned.
#[utoipa::path(
    put, path = "/agents/{agent_id}/executions/{execution_id}", operation_id = "update_agent_execution",
    tag = "Agent Executions", request_body = ExecutionUpdate,
    params(("agent_id", description = "Agent id."), ("execution_id", description = "Execution id.")),
    responses(
        (status = 200, description = "The execution after the change, or before it if the execution is working.", body = Data<AgentExecution>),
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
    let conversation = execution.conversation_id;
    let NewStatus { status: wanted, reason } = body::read::<ExecutionUpdate>(request).await?.agent_execution;
    let mut claimed = None;
    let changed = change!(ctx, "execution.update", tx => {
        let now = ctx.now();
        let conversation = conversations::next_seq(tx, project, conversation, now).await?;
        let conversation = conversation.ok_or(ApiError::NotFound("Execution"))?;
        // Loaded under the conversation's lock, because a turn may have changed it.
        let row = executions::find(tx, project, id).await?.found()?;
        if !row.status.may_be_set(wanted) || conversation.execution_id != Some(id) {
            let message = format!("an execution that is {} cannot be made {}", row.status.as_str(), wanted.as_str());
            return Err(ApiError::state("invalid_transition", "Execution status cannot be set", message));
        }
        let key = format!("status:{}", ctx.new_uuid());
        let reason = reason.clone().unwrap_or_else(|| "set_by_api".into());
        let input = match wanted {
            ExecutionStatus::Stopped => Input::Stop { id: key.clone(), reason },
            status => Input::SetStatus { id: key.clone(), status, reason },
        };
        deliver(tx, project, &conversation, &key, &input, now).await?;
        claimed = turn::accept(&ctx, tx, project, conversation.id).await?;
        let row = executions::find(tx, project, id).await?.found()?;
        Ok(Data { data: AgentExecution::of(&row) })
    })?;
    turn::spawn_continue_turn(&ctx, claimed);
    ctx.interrupts.signal(conversation);
    ctx.wake.notify_one();
    Ok(changed)
}
