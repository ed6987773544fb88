//! `GET /sandbox_sessions`

use super::view::SandboxSession;
use crate::{
    ApiError,
    api::{List, Page},
    auth::ProjectContext,
};
use store::{agents, sandbox_sessions};

/// List the project's sandbox sessions
///
/// Newest first; expired ones are among them.
#[utoipa::path(
    get, path = "/sandbox_sessions", operation_id = "list_sandbox_sessions", tag = "WhatsApp Sandbox", params(List),
    responses((status = 200, description = "One page of sessions.", body = Page<SandboxSession>))
)]
pub(super) async fn handle(ctx: ProjectContext, list: List) -> Result<Page<SandboxSession>, ApiError> {
    let (limit, offset) = list.range();
    let mut reader = ctx.store.read().await?;
    let mut conn = reader.conn();
    let (rows, total) = sandbox_sessions::list(&mut conn, ctx.project, limit, offset).await?;
    let mut views = Vec::with_capacity(rows.len());
    for row in &rows {
        let agent = agents::summary(&mut conn, ctx.project, row.agent_id).await?.ok_or(ApiError::NotFound("Agent"))?;
        views.push(SandboxSession::of(&ctx, row, &agent));
    }
    Ok(list.page(views, total))
}
