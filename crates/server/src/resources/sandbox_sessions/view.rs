//! How a sandbox session is shown.

use crate::{auth::ProjectContext, resources::agents};
use domain::{Timestamp, sandbox::SessionStatus};
use serde_json::{Value, json};
use store::{agents::AgentSummaryRow, sandbox_sessions::SandboxSessionRow};

/// The contract's fields. A session whose time is over is shown as expired even before its job has run.
pub(super) fn view(ctx: &ProjectContext, row: &SandboxSessionRow, agent: Option<&AgentSummaryRow>) -> Value {
    let over = row.expires_at <= ctx.now() && row.status != SessionStatus::Expired.as_str();
    let status = if over { SessionStatus::Expired.as_str() } else { &row.status };
    let number = ctx.sandbox.as_ref().map(|sandbox| sandbox.phone_number.as_str()).unwrap_or_default();
    json!({
        "id": row.id,
        "phone_number": row.phone,
        "status": status,
        "activation_code": row.code,
        "activation_message": format!("Sandbox code: {}", row.code),
        "activation_link": format!("https://wa.me/{number}?text={}", row.code),
        "activated_at": row.activated_at.map(|at| Timestamp::from_micros(at).to_iso()),
        "expires_at": row.expires_at.to_iso(),
        "created_at": row.created_at.to_iso(),
        "updated_at": row.updated_at.to_iso(),
        "agent": agent.map(|agent| agents::summary(ctx.project, agent)),
    })
}
