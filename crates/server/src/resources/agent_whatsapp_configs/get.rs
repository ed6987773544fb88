//! `GET /agents/{agent_id}/agent_whatsapp_configs/{id}`

use super::view::AgentWhatsappConfig;
use crate::{ApiError, api::Data, auth::ProjectContext, found::Found};
use store::agent_whatsapp_configs::AgentWhatsappConfigRow;

/// Read one link
///
/// A link lets an agent answer on a number.
#[utoipa::path(
    get, path = "/agents/{agent_id}/agent_whatsapp_configs/{id}", operation_id = "get_agent_whatsapp_config",
    tag = "Agent WhatsApp Configs", params(("agent_id", description = "Agent id."), ("id", description = "Link id.")),
    responses((status = 200, description = "The link.", body = Data<AgentWhatsappConfig>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(link): Found<AgentWhatsappConfigRow>,
) -> Result<Data<AgentWhatsappConfig>, ApiError> {
    let mut reader = ctx.store.read().await?;
    Ok(Data { data: AgentWhatsappConfig::read(&mut reader.conn(), ctx.project, &link).await? })
}
