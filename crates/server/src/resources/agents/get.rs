//! `GET /agents/{agent_id}`

use super::view::Agent;
use crate::{
    ApiError,
    api::{Data, Versioned},
    auth::ProjectContext,
    found::Found,
};
use store::agents;

/// Read one agent, without prompt and graph
///
/// See `GET /agents/{agent_id}/graph` for prompt and graph.
#[utoipa::path(
    get, path = "/agents/{agent_id}", operation_id = "get_agent", tag = "Agents",
    params(("agent_id", description = "Agent id.")),
    responses((status = 200, description = "The agent.", body = Data<Agent>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(agent): Found<agents::AgentSummaryRow>,
) -> Result<Versioned<Data<Agent>>, ApiError> {
    Ok(Versioned(Data { data: Agent::of(ctx.project, &agent) }, agent.version))
}
