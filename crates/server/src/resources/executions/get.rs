//! `GET /agents/{agent_id}/executions/{execution_id}`

use super::view;
use crate::{
    ApiError,
    auth::{ProjectContext, path_id},
};
use axum::{Json, extract::Path};
use domain::ids::AgentId;
use serde_json::{Value, json};
use store::executions;

/// One run of this agent; another agent's is not found.
pub(crate) async fn handle(
    ctx: ProjectContext,
    Path((agent_id, execution_id)): Path<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    let agent: AgentId = path_id(&agent_id, "Execution")?;
    let id = path_id(&execution_id, "Execution")?;
    let mut reader = ctx.store.read().await?;
    let row = executions::find(&mut reader.conn(), ctx.project, id).await?.filter(|row| row.agent_id == agent);
    Ok(Json(json!({"data": view::view(&row.ok_or(ApiError::NotFound("Execution"))?)})))
}
