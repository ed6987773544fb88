//! `GET /sandbox_sessions/{id}`

use super::view::SandboxSession;
use crate::{ApiError, api::Data, auth::ProjectContext, found::Found};
use store::{agents, sandbox_sessions};

/// Read one sandbox session
///
/// Clients poll it until it is active.
#[utoipa::path(
    get, path = "/sandbox_sessions/{id}", operation_id = "get_sandbox_session", tag = "WhatsApp Sandbox",
    params(("id", description = "Session id.")),
    responses((status = 200, description = "The session.", body = Data<SandboxSession>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(session): Found<sandbox_sessions::SandboxSessionRow>,
) -> Result<Data<SandboxSession>, ApiError> {
    let mut reader = ctx.store.read().await?;
    let mut conn = reader.conn();
    let agent = agents::summary(&mut conn, ctx.project, session.agent_id).await?.ok_or(ApiError::NotFound("Agent"))?;
    Ok(Data { data: SandboxSession::of(&ctx, &session, &agent) })
}
