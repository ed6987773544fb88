//! `GET /sandbox_sessions`

use super::view;
use crate::{ApiError, auth::ProjectContext, page::Query};
use axum::response::Response;
use store::{agents, sandbox_sessions};

/// The project's sessions, newest first.
pub(crate) async fn handle(ctx: ProjectContext, query: Query) -> Result<Response, ApiError> {
    let (limit, offset) = query.range();
    let mut reader = ctx.store.read().await?;
    let mut conn = reader.conn();
    let (rows, total) = sandbox_sessions::list(&mut conn, ctx.project, limit, offset).await?;
    let mut views = Vec::with_capacity(rows.len());
    for row in &rows {
        let agent = agents::summary(&mut conn, ctx.project, row.agent_id).await?;
        views.push(view::view(&ctx, row, agent.as_ref()));
    }
    Ok(query.page(&views, total))
}
