//! `PUT /agents/{agent_id}/executions/{execution_id}`

use super::view::{AgentExecution, AgentExecutionStatus};
use crate::{
    ApiError,
    api::{Changed, Data, RequestBody, body, change},
    auth::{ProjectContext, path_id},
};
use axum::extract::{Path, Request};
use domain::{execution::ExecutionStatus, ids::AgentId};
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
    /// Kept with the change.
    #[schema(max_length = 500)]
    reason: Option<String>,
}

impl RequestBody for ExecutionUpdate {
    const WRAPPER: &'static [&'static str] = &["agent_execution", "execution"];
}

/// Force a run into a status
///
/// At once at rest, at the next safe point at work. A model that is being asked is not waited for.
#[utoipa::path(
    put, path = "/agents/{agent_id}/executions/{execution_id}", operation_id = "update_agent_execution",
    tag = "Agent Executions", request_body = ExecutionUpdate,
    params(("agent_id", description = "Agent id."), ("execution_id", description = "Execution id.")),
    responses(
        (status = 200, description = "The run as it is now; where it is at work, as it was before the change is carried out.", body = Data<AgentExecution>),
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
    let conversation = {
        let mut reader = ctx.store.read().await?;
        let row = executions::find(&mut reader.conn(), project, id).await?.filter(|row| row.agent_id == agent);
        row.ok_or(ApiError::NotFound("Execution"))?.conversation_id
    };
    let NewStatus { status: wanted, reason } = body::read::<ExecutionUpdate>(request).await?.agent_execution;
    let mut held = None;
    let changed = change!(ctx, "execution.update", tx => {
        let now = ctx.now();
        let conversation = conversations::next_seq(tx, project, conversation, now).await?;
        let conversation = conversation.ok_or(ApiError::NotFound("Execution"))?;
        // Read under the conversation's lock: a turn may have moved it meanwhile.
        let row = executions::find(tx, project, id).await?.ok_or(ApiError::NotFound("Execution"))?;
        if !row.status.may_be_set(wanted) || conversation.execution_id != Some(id) {
            let message = format!("an execution that is {} cannot be made {}", row.status.as_str(), wanted.as_str());
            return Err(ApiError::State("invalid_transition", message));
        }
        let key = format!("status:{}", ctx.new_uuid());
        let reason = reason.clone().unwrap_or_else(|| "set_by_api".into());
        let input = match wanted {
            ExecutionStatus::Stopped => Input::Stop { id: key.clone(), reason },
            status => Input::SetStatus { id: key.clone(), status, reason },
        };
        deliver(tx, project, &conversation, &key, &input, now).await?;
        held = turn::accept(&ctx, tx, project, conversation.id).await?;
        let row = executions::find(tx, project, id).await?.ok_or(ApiError::NotFound("Execution"))?;
        Ok(Data { data: AgentExecution::of(&row) })
    })?;
    turn::spawn_continue_turn(&ctx, held);
    ctx.interrupts.signal(conversation);
    ctx.wake.notify_one();
    Ok(changed)
}
