//! `POST /sandbox_sessions`

use super::view;
use crate::{ApiError, auth::ProjectContext, body, fields::Fields, sandbox};
use axum::{Json, extract::Request, http::StatusCode};
use domain::{ids::AgentId, phone};
use serde_json::{Value, json};
use store::{agents, transact};

/// Lets one phone talk to one agent through the shared number, once the phone has sent the code.
pub(crate) async fn handle(ctx: ProjectContext, request: Request) -> Result<(StatusCode, Json<Value>), ApiError> {
    let mut fields = Fields::new(
        "/whatsapp_sandbox_session",
        body::wrapped(request, body::API_LIMIT, &["whatsapp_sandbox_session"]).await?,
    );
    let typed = fields.required_text("phone_number", 32);
    let phone = phone::normalise(&typed);
    if let (Err(error), false) = (&phone, typed.is_empty()) {
        fields.problem("phone_number", "invalid_phone_number", error.to_string());
    }
    let wanted = fields.required_text("agent_id", 36);
    let project = ctx.project;
    let agent = match wanted.parse::<AgentId>() {
        Ok(id) => {
            let mut reader = ctx.store.read().await?;
            agents::summary(&mut reader.conn(), project, id).await?
        }
        Err(_) => None,
    };
    if agent.is_none() && !wanted.is_empty() {
        fields.problem("agent_id", "unknown_agent", "no such agent");
    }
    if ctx.sandbox.is_none() {
        fields.problem("phone_number", "no_sandbox", "this server has no sandbox number; its operator must set one");
    }
    fields.done()?;
    let (Ok(phone), Some(agent)) = (phone, agent) else { return Err(ApiError::Internal("checked above".into())) };
    let row = transact!(ctx.store, "sandbox.open", tx => sandbox::open(&ctx, tx, project, &phone, agent.id).await)?;
    Ok((StatusCode::CREATED, Json(json!({"data": view::view(&ctx, &row, Some(&agent))}))))
}
