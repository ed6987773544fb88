//! `GET /agents/{agent_id}`

use super::view;
use crate::{
    ApiError,
    auth::{ProjectContext, path_id},
};
use axum::{Json, extract::Path};
use serde_json::{Value, json};
use store::agents;

/// One agent, without prompt and graph.
pub(crate) async fn handle(ctx: ProjectContext, Path(agent_id): Path<String>) -> Result<Json<Value>, ApiError> {
    let id = path_id(&agent_id, "Agent")?;
    let mut reader = ctx.store.read().await?;
    let row = agents::summary(&mut reader.conn(), ctx.project, id).await?.ok_or(ApiError::NotFound("Agent"))?;
    Ok(Json(json!({"data": view::summary(ctx.project, &row)})))
}
