//! `GET /agents/{agent_id}`

use super::view::Agent;
use crate::{
    ApiError,
    api::{Data, Versioned},
    auth::{ProjectContext, path_id},
};
use axum::extract::Path;
use store::agents;

/// One agent, without prompt and graph
#[utoipa::path(
    get, path = "/agents/{agent_id}", operation_id = "get_agent", tag = "Agents",
    params(("agent_id", description = "Agent id.")),
    responses((status = 200, description = "The agent.", body = Data<Agent>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Path(agent_id): Path<String>,
) -> Result<Versioned<Data<Agent>>, ApiError> {
    let id = path_id(&agent_id, "Agent")?;
    let mut reader = ctx.store.read().await?;
    let row = agents::summary(&mut reader.conn(), ctx.project, id).await?.ok_or(ApiError::NotFound("Agent"))?;
    Ok(Versioned(Data { data: Agent::of(ctx.project, &row) }, row.version))
}
