//! `GET /agents/{agent_id}/executions/{execution_id}`

use super::view::{self, AgentExecutionDetail};
use crate::{
    ApiError,
    api::Data,
    auth::{ProjectContext, path_id},
};
use axum::extract::Path;
use domain::ids::AgentId;
use store::executions;

/// One run of this agent
///
/// Another agent's is not found.
#[utoipa::path(
    get, path = "/agents/{agent_id}/executions/{execution_id}", operation_id = "get_agent_execution",
    tag = "Agent Executions",
    params(("agent_id", description = "Agent id."), ("execution_id", description = "Execution id.")),
    responses((status = 200, description = "The run.", body = Data<AgentExecutionDetail>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Path((agent_id, execution_id)): Path<(String, String)>,
) -> Result<Data<AgentExecutionDetail>, ApiError> {
    let agent: AgentId = path_id(&agent_id, "Execution")?;
    let id = path_id(&execution_id, "Execution")?;
    let mut reader = ctx.store.read().await?;
    let mut conn = reader.conn();
    let row = executions::find(&mut conn, ctx.project, id).await?.filter(|row| row.agent_id == agent);
    let row = row.ok_or(ApiError::NotFound("Execution"))?;
    let state = view::state(&mut conn, ctx.project, id).await?;
    Ok(Data { data: AgentExecutionDetail::of(&row, state.as_ref()) })
}
