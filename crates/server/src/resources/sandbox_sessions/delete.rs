//! `DELETE /sandbox_sessions/{id}`

use crate::{
    ApiError,
    auth::ProjectContext,
    change::{Changed, change},
    found::{Found, OrNotFound as _},
};
use axum::http::StatusCode;
use runtime::sandbox;
use store::sandbox_sessions;

/// Delete a sandbox session
///
/// The phone is connected to the agent no more, and its code is unknown. Conversations and
/// executions stay.
#[utoipa::path(
    delete, path = "/sandbox_sessions/{id}", operation_id = "delete_sandbox_session", tag = "WhatsApp Sandbox",
    params(("id", description = "Session id.")), responses((status = 204, description = "Deleted."))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(session): Found<sandbox_sessions::SandboxSessionRow>,
) -> Result<Changed<StatusCode>, ApiError> {
    let project = ctx.project;
    change!(ctx, "sandbox.delete", tx => {
        let session = sandbox_sessions::find(tx, project, session.id).await?.found()?;
        sandbox::delete(&ctx, tx, project, &session).await?;
        Ok(StatusCode::NO_CONTENT)
    })
}
