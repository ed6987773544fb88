//! API representation of a sandbox session.

use crate::{
    api::{Time, words},
    auth::ProjectContext,
    resources::agents::Agent,
};
use domain::sandbox::SessionStatus;
use serde::Serialize;
use store::{agents::AgentSummaryRow, sandbox_sessions::SandboxSessionRow};
use utoipa::ToSchema;
use uuid::Uuid;

/// Session of one phone with one agent on the shared number.
#[derive(Serialize, ToSchema)]
pub(crate) struct SandboxSession {
    id: Uuid,
    /// Phone number of the tester.
    phone_number: String,
    #[schema(value_type = SandboxSessionStatus)]
    status: String,
    /// Activation code; works only from the session's phone.
    #[schema(pattern = "^[A-Z0-9]{6}$")]
    activation_code: String,
    /// Text to send, including the code.
    activation_message: String,
    /// Link that opens a chat with the code.
    #[schema(format = "uri")]
    activation_link: String,
    activated_at: Option<Time>,
    /// 24 hours after creation, then 24 hours after activation.
    expires_at: Option<Time>,
    created_at: Time,
    updated_at: Time,
    agent: Agent,
}

words!(SandboxSessionStatus = "pending_activation", "active", "expired");

impl SandboxSession {
    /// Expired sessions are shown as such even before their job has run.
    pub(super) fn of(ctx: &ProjectContext, row: &SandboxSessionRow, agent: &AgentSummaryRow) -> Self {
        let over = row.expires_at <= ctx.now();
        let status = if over { SessionStatus::Expired } else { row.status };
        let number = ctx.sandbox.as_ref().map(|sandbox| sandbox.phone_number.as_str()).unwrap_or_default();
        Self {
            id: row.id.uuid(),
            phone_number: row.phone.clone(),
            status: status.to_string(),
            activation_code: row.code.clone(),
            activation_message: format!("Sandbox code: {}", row.code),
            activation_link: format!("https://wa.me/{number}?text={}", row.code),
            activated_at: row.activated_at.map(Time),
            expires_at: Some(row.expires_at.into()),
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
            agent: Agent::of(ctx.project, agent),
        }
    }
}
