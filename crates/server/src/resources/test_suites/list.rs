//! `GET /agents/{agent_id}/test_suites`

use super::view::TestSuite;
use crate::{
    ApiError,
    api::{List, Page},
    auth::ProjectContext,
    found::Found,
};
use store::{agents, test_suites};

/// List an agent's test suites
///
/// Oldest first, because published clients upload to the first one, `Default`. Returns up to 1,000
/// unless a page is requested.
#[utoipa::path(
    get, path = "/agents/{agent_id}/test_suites", operation_id = "list_agent_test_suites", tag = "Agents",
    params(("agent_id", description = "Agent id."), List),
    responses((status = 200, description = "One page of suites.", body = Page<TestSuite>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(agent): Found<agents::AgentSummaryRow>,
    list: List,
) -> Result<Page<TestSuite>, ApiError> {
    let list = list.unpaged_by_default();
    let (limit, offset) = list.range();
    let mut reader = ctx.store.read().await?;
    let mut conn = reader.conn();
    let (rows, total) = test_suites::list(&mut conn, ctx.project, agent.id, limit, offset).await?;
    let mut views = Vec::with_capacity(rows.len());
    for row in &rows {
        views.push(TestSuite::of(&mut conn, ctx.project, row).await?);
    }
    Ok(list.page(views, total))
}
