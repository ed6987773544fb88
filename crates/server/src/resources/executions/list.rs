//! `GET /agents/{agent_id}/executions`

use super::view;
use crate::{
    ApiError,
    auth::{ProjectContext, path_id},
    page::Query,
};
use axum::{extract::Path, response::Response};
use domain::{execution::ExecutionStatus, phone};
use serde_json::Value;
use store::{agents, executions, executions::Filter};

/// Runs of an agent, newest first.
pub(crate) async fn handle(
    ctx: ProjectContext,
    Path(agent_id): Path<String>,
    query: Query,
) -> Result<Response, ApiError> {
    let agent = path_id(&agent_id, "Agent")?;
    let status = query.get("q[status_eq]").map(str::to_owned);
    if status.as_deref().is_some_and(|status| status.parse::<ExecutionStatus>().is_err()) {
        return Err(ApiError::invalid("/q[status_eq]", "unknown_status", "is not a status of an execution"));
    }
    let filter = Filter {
        status,
        started_from: query.time("q[started_at_gteq]")?,
        started_to: query.time("q[started_at_lteq]")?,
        ended_from: query.time("q[ended_at_gteq]")?,
        ended_to: query.time("q[ended_at_lteq]")?,
        phone_number: query
            .get("q[phone_number_eq]")
            .map(|text| phone::normalise(text).map_or_else(|_| text.into(), |phone| phone.e164())),
    };
    let (limit, offset) = query.range();
    let mut reader = ctx.store.read().await?;
    let mut conn = reader.conn();
    agents::summary(&mut conn, ctx.project, agent).await?.ok_or(ApiError::NotFound("Agent"))?;
    let (rows, total) = executions::list(&mut conn, (ctx.project, agent), &filter, limit, offset).await?;
    let views: Vec<Value> = rows.iter().map(view::view).collect();
    Ok(query.page(&views, total))
}
