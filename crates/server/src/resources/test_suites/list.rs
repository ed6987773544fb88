//! `GET /agents/{agent_id}/test_suites`

use super::view::TestSuite;
use crate::{
    ApiError,
    api::{List, Page},
    auth::{ProjectContext, path_id},
};
use axum::extract::Path;
use store::{agents, test_suites};

/// Test suites of an agent
///
/// Oldest first: published clients upload to the first one, which is `Default`. Up to 1,000 come unless a page is asked for.
#[utoipa::path(
    get, path = "/agents/{agent_id}/test_suites", operation_id = "list_agent_test_suites", tag = "Agents",
    params(("agent_id", description = "Agent id."), List),
    responses((status = 200, description = "One page of suites.", body = Page<TestSuite>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Path(agent_id): Path<String>,
    list: List,
) -> Result<Page<TestSuite>, ApiError> {
    let agent = path_id(&agent_id, "Agent")?;
    let list = list.or_everything();
    let (limit, offset) = list.range();
    let mut reader = ctx.store.read().await?;
    let mut conn = reader.conn();
    agents::summary(&mut conn, ctx.project, agent).await?.ok_or(ApiError::NotFound("Agent"))?;
    let (rows, total) = test_suites::list(&mut conn, ctx.project, agent, limit, offset).await?;
    let mut views = Vec::with_capacity(rows.len());
    for row in &rows {
        views.push(TestSuite::of(&mut conn, ctx.project, row).await?);
    }
    Ok(list.page(views, total))
}
