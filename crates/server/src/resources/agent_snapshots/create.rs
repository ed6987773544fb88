//! `POST /agents/{agent_id}/agent_snapshots`

use super::view::AgentSnapshot;
use crate::{
    ApiError,
    api::{Created, Data, RequestBody, body},
    auth::ProjectContext,
    change::{Changed, change},
    found::{Found, OrNotFound as _},
    resources::agents::{AgentGraphInput, pin, stored},
};
use axum::extract::Request;
use domain::agent::Graph;
use serde::Deserialize;
use store::agents;
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
pub(super) struct SnapshotCreate {
    /// Snapshot of this graph instead of the agent's; the agent is not changed.
    #[serde(default, deserialize_with = "body::skip_graph")]
    #[schema(value_type = Option<AgentGraphInput>)]
    graph: Option<Graph>,
}

impl RequestBody for SnapshotCreate {
    const LIMIT: usize = body::GRAPH_LIMIT;
    const GRAPH_AT: &'static str = "/graph";

    fn set_graph(&mut self, graph: Graph) {
        self.graph = Some(graph);
    }
}

/// Create a snapshot of an agent or of a given graph
///
/// An unchanged state returns its existing snapshot.
#[utoipa::path(
    post, path = "/agents/{agent_id}/agent_snapshots", operation_id = "create_agent_snapshot", tag = "Agent Snapshots",
    params(("agent_id", description = "Agent id.")), request_body = SnapshotCreate,
    responses((status = 201, description = "The snapshot.", body = Data<AgentSnapshot>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(agent): Found<agents::AgentSummaryRow>,
    request: Request,
) -> Result<Changed<Created<AgentSnapshot>>, ApiError> {
    let project = ctx.project;
    let graph = body::read::<SnapshotCreate>(request).await?.graph;
    change!(ctx, "agent_snapshot.create", tx => {
        let mut row = agents::lock(tx, project, agent.id).await?.found()?;
        if let Some(graph) = &graph {
            row.graph = stored(graph);
        }
        pin(&ctx, tx, project, &mut row).await?;
        let snapshot = agents::find_snapshot(tx, project, row.snapshot_id).await?;
        let snapshot = snapshot.ok_or(ApiError::NotFound("Agent snapshot"))?;
        Ok(Created(AgentSnapshot::of(&agent, &snapshot)?))
    })
}
