//! `GET /agents/{agent_id}/graph`

use super::view::AgentWithGraph;
use crate::{
    ApiError,
    api::{Data, Query, Versioned},
    auth::ProjectContext,
    found::Found,
};
use serde::Deserialize;
use store::agents;
use utoipa::{IntoParams, ToSchema};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Extras {
    /// Additional fields of the answer.
    #[param(inline)]
    include: Option<Extra>,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Extra {
    Description,
}

/// Read one agent with prompt and graph
///
/// The graph is in its canonical form, whichever form it was sent in.
#[utoipa::path(
    get, path = "/agents/{agent_id}/graph", operation_id = "get_agent_with_graph", tag = "Agents",
    params(("agent_id", description = "Agent id."), Extras),
    responses((status = 200, description = "The agent with its graph.", body = Data<AgentWithGraph>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(agent): Found<agents::AgentRow>,
    Query(extras): Query<Extras>,
) -> Result<Versioned<Data<AgentWithGraph>>, ApiError> {
    let with_description = matches!(extras.include, Some(Extra::Description));
    Ok(Versioned(Data { data: AgentWithGraph::of(ctx.project, &agent, with_description)? }, agent.version))
}
