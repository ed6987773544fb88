//! `GET /agents/{agent_id}/agent_whatsapp_configs/{id}`

use super::view::{self, AgentWhatsappConfig, LINK};
use crate::{
    ApiError,
    api::Data,
    auth::{ProjectContext, path_id},
};
use axum::extract::Path;
use store::agent_whatsapp_configs as links;

/// Read one link
#[utoipa::path(
    get, path = "/agents/{agent_id}/agent_whatsapp_configs/{id}", operation_id = "get_agent_whatsapp_config",
    tag = "Agent WhatsApp Configs", params(("agent_id", description = "Agent id."), ("id", description = "Link id.")),
    responses((status = 200, description = "The link.", body = Data<AgentWhatsappConfig>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Path((agent_id, id)): Path<(String, String)>,
) -> Result<Data<AgentWhatsappConfig>, ApiError> {
    let mut reader = ctx.store.read().await?;
    let mut conn = reader.conn();
    let agent = view::agent(&mut conn, ctx.project, &agent_id, LINK).await?;
    let id = path_id(&id, LINK)?;
    let link = links::find(&mut conn, ctx.project, agent, id).await?;
    let link = link.ok_or(ApiError::NotFound(LINK))?;
    Ok(Data { data: AgentWhatsappConfig::read(&mut conn, ctx.project, &link).await? })
}
