//! `POST /agents`

use super::{save, view};
use crate::{ApiError, auth::ProjectContext, body, fields::Fields};
use axum::{Json, extract::Request, http::StatusCode};
use serde_json::{Value, json};
use store::{agents, transact};

/// Makes an agent, with the starter graph unless one is given.
pub(crate) async fn handle(ctx: ProjectContext, request: Request) -> Result<(StatusCode, Json<Value>), ApiError> {
    let mut fields = Fields::new("/agent", body::wrapped(request, body::GRAPH_LIMIT, &["agent"]).await?);
    let change = save::read(&mut fields, true);
    fields.done()?;
    let mut row = save::new_row(&ctx, change);
    let project = ctx.project;
    transact!(ctx.store, "agent.create", tx => {
        save::pin(&ctx, tx, project, &mut row).await?;
        agents::insert(tx, project, &row).await
    })?;
    Ok((StatusCode::CREATED, Json(json!({"data": view::summary_of(project, &row)}))))
}
