//! `DELETE /agents/{agent_id}/agent_whatsapp_configs/{id}`

use crate::{
    ApiError,
    auth::ProjectContext,
    change::{Changed, change},
    found::{Found, OrNotFound as _},
};
use axum::http::StatusCode;
use store::{
    agent_whatsapp_configs::{self as links, AgentWhatsappConfigRow},
    conversations, whatsapp_configs,
};

/// Remove the link
///
/// The agent answers no new messages on the number, even in existing conversations. Active
/// executions continue to their end.
#[utoipa::path(
    delete, path = "/agents/{agent_id}/agent_whatsapp_configs/{id}", operation_id = "delete_agent_whatsapp_config",
    tag = "Agent WhatsApp Configs", params(("agent_id", description = "Agent id."), ("id", description = "Link id.")),
    responses((status = 204, description = "Deleted."))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(link): Found<AgentWhatsappConfigRow>,
) -> Result<Changed<StatusCode>, ApiError> {
    let project = ctx.project;
    change!(ctx, "agent_whatsapp_config.delete", tx => {
        let (agent, id) = (link.agent_id, link.id);
        let link = links::find(tx, project, agent, id).await?.found()?;
        if let Some(config) = whatsapp_configs::lock(tx, project, link.whatsapp_config_id).await? {
            conversations::drop_agent(tx, project, &config, agent).await?;
        }
        links::delete(tx, project, link.id).await?;
        Ok(StatusCode::NO_CONTENT)
    })
}
