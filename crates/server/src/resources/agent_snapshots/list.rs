//! `GET /agents/{agent_id}/agent_snapshots`

use super::view::{self, AgentSnapshotSummary};
use crate::{
    ApiError,
    api::{List, Page},
    auth::ProjectContext,
    found::Found,
};
use store::agents;

/// List an agent's snapshots
///
/// Newest first, without their graphs. Each state that the agent was saved in is one.
#[utoipa::path(
    get, path = "/agents/{agent_id}/agent_snapshots", operation_id = "list_agent_snapshots", tag = "Agent Snapshots",
    params(("agent_id", description = "Agent id."), List),
    responses((status = 200, description = "One page of snapshots.", body = Page<AgentSnapshotSummary>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(agent): Found<agents::AgentSummaryRow>,
    list: List,
) -> Result<Page<AgentSnapshotSummary>, ApiError> {
    let (limit, offset) = list.range();
    let mut reader = ctx.store.read().await?;
    let mut conn = reader.conn();
    let current = agents::current_snapshot(&mut conn, ctx.project, agent.id).await?;
    let (rows, total) = agents::snapshots(&mut conn, ctx.project, agent.id, limit, offset).await?;
    Ok(list.page(rows.iter().map(|row| view::summary(&agent, row, current)).collect(), total))
}
