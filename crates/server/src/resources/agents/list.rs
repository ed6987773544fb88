//! `GET /agents`

use super::view::Agent;
use crate::{
    ApiError,
    api::{List, Page},
    auth::ProjectContext,
};
use store::agents;

/// List the project's agents
///
/// Returns up to 1,000 unless a page is requested, because published clients read one page only.
#[utoipa::path(
    get, path = "/agents", operation_id = "list_agents", tag = "Agents", params(List),
    responses((status = 200, description = "One page of agents.", body = Page<Agent>))
)]
pub(super) async fn handle(ctx: ProjectContext, list: List) -> Result<Page<Agent>, ApiError> {
    let list = list.unpaged_by_default();
    let (limit, offset) = list.range();
    let mut reader = ctx.store.read().await?;
    let (rows, total) = agents::list(&mut reader.conn(), ctx.project, limit, offset).await?;
    Ok(list.page(rows.iter().map(|row| Agent::of(ctx.project, row)).collect(), total))
}
