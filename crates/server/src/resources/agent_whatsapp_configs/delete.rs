//! `DELETE /agents/{agent_id}/agent_whatsapp_configs/{id}`

use super::view::{self, LINK};
use crate::{
    ApiError,
    api::{Changed, change},
    auth::{ProjectContext, path_id},
};
use axum::{extract::Path, http::StatusCode};
use domain::ids::AgentWhatsappConfigId;
use store::{agent_whatsapp_configs as links, conversations, whatsapp_configs};

/// Remove the link
///
/// The agent answers no new messages on the number, also in conversations that it had before. What it is doing in one goes
/// on to its end.
#[utoipa::path(
    delete, path = "/agents/{agent_id}/agent_whatsapp_configs/{id}", operation_id = "delete_agent_whatsapp_config",
    tag = "Agent WhatsApp Configs", params(("agent_id", description = "Agent id."), ("id", description = "Link id.")),
    responses((status = 204, description = "Deleted."))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Path((agent_id, id)): Path<(String, String)>,
) -> Result<Changed<StatusCode>, ApiError> {
    let project = ctx.project;
    change!(ctx, "agent_whatsapp_config.delete", tx => {
        let agent = view::agent(tx, project, &agent_id, LINK).await?;
        let id: AgentWhatsappConfigId = path_id(&id, LINK)?;
        let link = links::find(tx, project, agent, id).await?.ok_or(ApiError::NotFound(LINK))?;
        if let Some(config) = whatsapp_configs::lock(tx, project, link.whatsapp_config_id).await? {
            conversations::drop_agent(tx, project, (&config.phone_number_id, config.id), agent).await?;
        }
        links::delete(tx, project, link.id).await?;
        Ok(StatusCode::NO_CONTENT)
    })
}
