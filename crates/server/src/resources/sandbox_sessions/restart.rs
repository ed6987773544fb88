//! `POST /sandbox_sessions/{id}/restart`

use super::view::SandboxSession;
use crate::{
    ApiError,
    api::Data,
    auth::ProjectContext,
    change::{Changed, change},
    found::{Found, OrNotFound as _},
};
use runtime::sandbox;
use store::{agents, sandbox_sessions};

/// Restart the conversation of a sandbox session
///
/// Stops the session's execution, so that the phone's next message starts one with the agent as it
/// is now. Does nothing if none is under way.
#[utoipa::path(
    post, path = "/sandbox_sessions/{id}/restart", operation_id = "restart_sandbox_session", tag = "WhatsApp Sandbox",
    params(("id", description = "Session id.")),
    responses((status = 200, description = "The session.", body = Data<SandboxSession>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(session): Found<sandbox_sessions::SandboxSessionRow>,
) -> Result<Changed<Data<SandboxSession>>, ApiError> {
    let project = ctx.project;
    let mut stopped = Vec::new();
    let done = change!(ctx, "sandbox.restart", tx => {
        let session = sandbox_sessions::find(tx, project, session.id).await?.found()?;
        let agent = agents::summary(tx, project, session.agent_id).await?.ok_or(ApiError::NotFound("Agent"))?;
        stopped = sandbox::stop(&ctx, tx, project, &session, "sandbox_restarted").await?;
        Ok(Data { data: SandboxSession::of(&ctx, &session, &agent) })
    })?;
    for conversation in stopped {
        ctx.interrupts.signal(conversation);
    }
    ctx.wake.notify_one();
    Ok(done)
}
