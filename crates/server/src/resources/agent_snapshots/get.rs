//! `GET /agent_snapshots/{id}`

use super::view::AgentSnapshot;
use crate::{
    ApiError,
    api::Data,
    auth::{ProjectContext, path_id},
};
use axum::extract::Path;
use store::agents;

/// One snapshot
#[utoipa::path(
    get, path = "/agent_snapshots/{id}", operation_id = "get_agent_snapshot", tag = "Agent Snapshots",
    params(("id", description = "Snapshot id.")),
    responses((status = 200, description = "The snapshot.", body = Data<AgentSnapshot>))
)]
pub(super) async fn handle(ctx: ProjectContext, Path(id): Path<String>) -> Result<Data<AgentSnapshot>, ApiError> {
    let gone = || ApiError::NotFound("Agent snapshot");
    let id = path_id(&id, "Agent snapshot")?;
    let mut reader = ctx.store.read().await?;
    let mut conn = reader.conn();
    let row = agents::find_snapshot(&mut conn, ctx.project, id).await?.ok_or_else(gone)?;
    let agent = agents::summary(&mut conn, ctx.project, row.agent_id).await?.ok_or_else(gone)?;
    Ok(Data { data: AgentSnapshot::of(&agent, &row)? })
}
