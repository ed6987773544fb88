//! `GET /agent_snapshots/{id}`

use super::view::AgentSnapshot;
use crate::{
    ApiError,
    api::Data,
    auth::ProjectContext,
    found::{Found, OrNotFound as _},
};
use store::agents;

/// Read one snapshot
///
/// A snapshot is a state in which the agent was saved. It never changes.
#[utoipa::path(
    get, path = "/agent_snapshots/{id}", operation_id = "get_agent_snapshot", tag = "Agent Snapshots",
    params(("id", description = "Snapshot id.")),
    responses((status = 200, description = "The snapshot.", body = Data<AgentSnapshot>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(snapshot): Found<agents::SnapshotRow>,
) -> Result<Data<AgentSnapshot>, ApiError> {
    let mut reader = ctx.store.read().await?;
    let agent = agents::summary(&mut reader.conn(), ctx.project, snapshot.agent_id).await?.found()?;
    Ok(Data { data: AgentSnapshot::of(&agent, &snapshot)? })
}
