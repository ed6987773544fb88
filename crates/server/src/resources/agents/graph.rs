//! `GET /agents/{agent_id}/graph`

use super::view;
use crate::{
    ApiError,
    auth::{ProjectContext, path_id},
    page::Query,
};
use axum::{Json, extract::Path};
use serde_json::{Value, json};
use store::agents;

/// One agent with prompt and graph; `include=description` adds the description.
pub(crate) async fn handle(
    ctx: ProjectContext,
    Path(agent_id): Path<String>,
    query: Query,
) -> Result<Json<Value>, ApiError> {
    let id = path_id(&agent_id, "Agent")?;
    let mut reader = ctx.store.read().await?;
    let row = agents::find(&mut reader.conn(), ctx.project, id).await?.ok_or(ApiError::NotFound("Agent"))?;
    let with_description = query.get("include") == Some("description");
    Ok(Json(json!({"data": view::whole(ctx.project, &row, with_description)?})))
}
