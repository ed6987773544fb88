//! `GET /agents`

use super::view;
use crate::{ApiError, auth::ProjectContext, page::Query};
use axum::response::Response;
use serde_json::Value;
use store::agents;

/// The project's agents, newest first. Published clients read one answer only, so all come unless a page is asked for.
pub(crate) async fn handle(ctx: ProjectContext, query: Query) -> Result<Response, ApiError> {
    let query = query.or_everything();
    let (limit, offset) = query.range();
    let mut reader = ctx.store.read().await?;
    let (rows, total) = agents::list(&mut reader.conn(), ctx.project, limit, offset).await?;
    let views: Vec<Value> = rows.iter().map(|row| view::summary(ctx.project, row)).collect();
    Ok(query.page(&views, total))
}
