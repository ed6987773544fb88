//! `GET /agents/{agent_id}/graph`

use super::view::AgentWithGraph;
use crate::{
    ApiError,
    api::{Data, Query, Versioned},
    auth::{ProjectContext, path_id},
};
use axum::extract::Path;
use serde::Deserialize;
use store::agents;
use utoipa::{IntoParams, ToSchema};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Extras {
    /// Extra parts of the answer.
    #[param(inline)]
    include: Option<Extra>,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Extra {
    Description,
}

/// One agent with prompt and graph
#[utoipa::path(
    get, path = "/agents/{agent_id}/graph", operation_id = "get_agent_with_graph", tag = "Agents",
    params(("agent_id", description = "Agent id."), Extras),
    responses((status = 200, description = "The agent with its graph.", body = Data<AgentWithGraph>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Path(agent_id): Path<String>,
    Query(extras): Query<Extras>,
) -> Result<Versioned<Data<AgentWithGraph>>, ApiError> {
    let id = path_id(&agent_id, "Agent")?;
    let mut reader = ctx.store.read().await?;
    let row = agents::find(&mut reader.conn(), ctx.project, id).await?.ok_or(ApiError::NotFound("Agent"))?;
    let with_description = matches!(extras.include, Some(Extra::Description));
    Ok(Versioned(Data { data: AgentWithGraph::of(ctx.project, &row, with_description)? }, row.version))
}
