//! `GET /agents/{agent_id}/executions/{execution_id}`

use super::view::{self, AgentExecutionDetail};
use crate::{ApiError, api::Data, auth::ProjectContext, found::Found};
use store::executions;

/// Read one execution of this agent
///
/// Executions of other agents are not found.
#[utoipa::path(
    get, path = "/agents/{agent_id}/executions/{execution_id}", operation_id = "get_agent_execution",
    tag = "Agent Executions",
    params(("agent_id", description = "Agent id."), ("execution_id", description = "Execution id.")),
    responses((status = 200, description = "The execution.", body = Data<AgentExecutionDetail>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(execution): Found<executions::ExecutionRow>,
) -> Result<Data<AgentExecutionDetail>, ApiError> {
    let mut reader = ctx.store.read().await?;
    let state = view::state(&mut reader.conn(), ctx.project, execution.id).await?;
    Ok(Data { data: AgentExecutionDetail::of(&execution, state.as_ref()) })
}
