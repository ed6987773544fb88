//! `GET /sandbox_sessions/{id}`

use super::view::SandboxSession;
use crate::{
    ApiError,
    api::Data,
    auth::{ProjectContext, path_id},
};
use axum::extract::Path;
use store::{agents, sandbox_sessions};

/// Read one sandbox session
///
/// Clients poll it until it is active.
#[utoipa::path(
    get, path = "/sandbox_sessions/{id}", operation_id = "get_sandbox_session", tag = "WhatsApp Sandbox",
    params(("id", description = "Session id.")),
    responses((status = 200, description = "The session.", body = Data<SandboxSession>))
)]
pub(super) async fn handle(ctx: ProjectContext, Path(id): Path<String>) -> Result<Data<SandboxSession>, ApiError> {
    let id = path_id(&id, "Sandbox session")?;
    let mut reader = ctx.store.read().await?;
    let mut conn = reader.conn();
    let row = sandbox_sessions::find(&mut conn, ctx.project, id).await?.ok_or(ApiError::NotFound("Sandbox session"))?;
    let agent = agents::summary(&mut conn, ctx.project, row.agent_id).await?.ok_or(ApiError::NotFound("Agent"))?;
    Ok(Data { data: SandboxSession::of(&ctx, &row, &agent) })
}
