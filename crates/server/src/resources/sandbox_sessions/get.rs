//! `GET /sandbox_sessions/{id}`

use super::view;
use crate::{
    ApiError,
    auth::{ProjectContext, path_id},
};
use axum::{Json, extract::Path};
use serde_json::{Value, json};
use store::{agents, sandbox_sessions};

/// One session; clients poll it until it is active.
pub(crate) async fn handle(ctx: ProjectContext, Path(id): Path<String>) -> Result<Json<Value>, ApiError> {
    let id = path_id(&id, "Sandbox session")?;
    let mut reader = ctx.store.read().await?;
    let mut conn = reader.conn();
    let row = sandbox_sessions::find(&mut conn, ctx.project, id).await?.ok_or(ApiError::NotFound("Sandbox session"))?;
    let agent = agents::summary(&mut conn, ctx.project, row.agent_id).await?;
    Ok(Json(json!({"data": view::view(&ctx, &row, agent.as_ref())})))
}
