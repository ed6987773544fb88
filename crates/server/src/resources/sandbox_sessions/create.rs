//! `POST /sandbox_sessions`

use super::view::SandboxSession;
use crate::{
    ApiError,
    api::{Created, Data, PhoneNumber, Problems, RequestBody, body},
    auth::ProjectContext,
    change::{Changed, change},
};
use axum::extract::Request;
use domain::Id;
use runtime::sandbox;
use serde::Deserialize;
use store::agents;
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Deserialize, ToSchema)]
pub(super) struct SandboxSessionCreateRequest {
    whatsapp_sandbox_session: NewSandboxSession,
}

impl RequestBody for SandboxSessionCreateRequest {
    const WRAPPER: &'static [&'static str] = &["whatsapp_sandbox_session"];
}

#[derive(Deserialize, ToSchema)]
struct NewSandboxSession {
    /// With country code; a leading plus, spaces and dashes are fine.
    phone_number: PhoneNumber,
    /// The agent that answers.
    agent_id: Uuid,
}

/// Create a sandbox session for one phone and one agent
///
/// The session is pending until its phone sends the code to the shared number. A new session
/// replaces an older one of the same phone in the project, which expires.
#[utoipa::path(
    post, path = "/sandbox_sessions", operation_id = "create_sandbox_session", tag = "WhatsApp Sandbox",
    request_body = SandboxSessionCreateRequest,
    responses(
        (status = 201, description = "The session, waiting for its code.", body = Data<SandboxSession>),
        (status = 422, description = "Details: `unknown_agent`, `no_sandbox`"),
    )
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    request: Request,
) -> Result<Changed<Created<SandboxSession>>, ApiError> {
    let new = body::read::<SandboxSessionCreateRequest>(request).await?.whatsapp_sandbox_session;
    let project = ctx.project;
    let agent = {
        let mut reader = ctx.store.read().await?;
        agents::summary(&mut reader.conn(), project, Id::from_uuid(new.agent_id)).await?
    };
    let mut problems = Problems::default();
    if agent.is_none() {
        problems.add("/whatsapp_sandbox_session/agent_id", "unknown_agent", "no such agent");
    }
    if ctx.sandbox.is_none() {
        let why = "this server has no sandbox number; its operator must set one";
        problems.add("/whatsapp_sandbox_session/phone_number", "no_sandbox", why);
    }
    let (Some(agent), Some(_)) = (agent, &ctx.sandbox) else { return Err(problems.into()) };
    let phone = new.phone_number.0;
    change!(ctx, "sandbox.open", tx => {
        let row = sandbox::open(&ctx, tx, project, &phone, agent.id).await?;
        Ok(Created(SandboxSession::of(&ctx, &row, &agent)))
    })
}
