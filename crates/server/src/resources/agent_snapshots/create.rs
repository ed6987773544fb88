//! `POST /agents/{agent_id}/agent_snapshots`

use super::view::AgentSnapshot;
use crate::{
    ApiError,
    api::{Changed, Created, Data, Problems, RequestBody, body, change::change},
    auth::{ProjectContext, path_id},
    resources::agents::{AgentGraphInput, GraphChange, pin, read_graph},
};
use axum::extract::{Path, Request};
use serde::Deserialize;
use serde_json::Value;
use store::agents;
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
pub(super) struct SnapshotCreate {
    /// Frozen instead of the agent's own; the agent stays as it is.
    #[schema(value_type = Option<AgentGraphInput>)]
    graph: Option<GraphChange>,
}

impl RequestBody for SnapshotCreate {
    const LIMIT: usize = body::GRAPH_LIMIT;
    const READ_APART: &'static str = "/graph";

    fn read_apart(graph: Value, problems: &mut Problems) -> Value {
        read_graph(Self::READ_APART, &graph, problems)
    }
}

/// Freeze an agent, or a given graph
///
/// The same state gives the same snapshot again.
#[utoipa::path(
    post, path = "/agents/{agent_id}/agent_snapshots", operation_id = "create_agent_snapshot", tag = "Agent Snapshots",
    params(("agent_id", description = "Agent id.")), request_body = SnapshotCreate,
    responses((status = 201, description = "The snapshot.", body = Data<AgentSnapshot>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Path(agent_id): Path<String>,
    request: Request,
) -> Result<Changed<Created<AgentSnapshot>>, ApiError> {
    let id = path_id(&agent_id, "Agent")?;
    let project = ctx.project;
    let agent = {
        let mut reader = ctx.store.read().await?;
        agents::summary(&mut reader.conn(), project, id).await?.ok_or(ApiError::NotFound("Agent"))?
    };
    let graph = body::read::<SnapshotCreate>(request).await?.graph;
    change!(ctx, "agent_snapshot.create", tx => {
        let mut row = agents::lock(tx, project, id).await?.ok_or(ApiError::NotFound("Agent"))?;
        if let Some(graph) = &graph {
            row.graph = graph.stored();
        }
        pin(&ctx, tx, project, &mut row).await?;
        let stored = agents::find_snapshot(tx, project, row.snapshot_id).await?;
        let stored = stored.ok_or(ApiError::NotFound("Agent snapshot"))?;
        Ok(Created(AgentSnapshot::of(&agent, &stored)?))
    })
}
