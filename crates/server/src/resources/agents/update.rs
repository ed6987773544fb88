//! `PATCH /agents/{agent_id}`

use super::{save, view};
use crate::{
    ApiError,
    auth::{ProjectContext, path_id},
    body,
    fields::Fields,
};
use axum::{
    Json,
    extract::{Path, Request},
};
use serde_json::{Value, json};
use store::{agents, transact};

/// Changes what was sent and leaves the rest. Running executions keep the state that they pinned.
pub(crate) async fn handle(
    ctx: ProjectContext,
    Path(agent_id): Path<String>,
    request: Request,
) -> Result<Json<Value>, ApiError> {
    let id = path_id(&agent_id, "Agent")?;
    let project = ctx.project;
    {
        // An agent that is not there is not found, whatever was sent.
        let mut reader = ctx.store.read().await?;
        agents::summary(&mut reader.conn(), project, id).await?.ok_or(ApiError::NotFound("Agent"))?;
    }
    let mut fields = Fields::new("/agent", body::wrapped(request, body::GRAPH_LIMIT, &["agent"]).await?);
    let change = save::read(&mut fields, false);
    fields.done()?;
    let row = transact!(ctx.store, "agent.update", ApiError, tx => {
        let mut row = agents::lock(tx, project, id).await?.ok_or(ApiError::NotFound("Agent"))?;
        save::apply(&mut row, &change);
        row.updated_at = ctx.now();
        save::pin(&ctx, tx, project, &mut row).await?;
        agents::update(tx, project, &row).await?;
        Ok(row)
    })?;
    Ok(Json(json!({"data": view::summary_of(project, &row)})))
}
