//! `GET /agents/{agent_id}/agent_whatsapp_configs`

use super::view::AgentWhatsappConfig;
use crate::{
    ApiError,
    api::{List, Page},
    auth::ProjectContext,
    found::Found,
};
use store::{agent_whatsapp_configs as links, agents};

/// List an agent's configs
///
/// Returns up to 1,000 unless a page is requested.
#[utoipa::path(
    get, path = "/agents/{agent_id}/agent_whatsapp_configs", operation_id = "list_agent_whatsapp_configs",
    tag = "Agent WhatsApp Configs", params(("agent_id", description = "Agent id."), List),
    responses((status = 200, description = "The links.", body = Page<AgentWhatsappConfig>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(agent): Found<agents::AgentSummaryRow>,
    list: List,
) -> Result<Page<AgentWhatsappConfig>, ApiError> {
    let list = list.unpaged_by_default();
    let mut reader = ctx.store.read().await?;
    let mut conn = reader.conn();
    let (rows, total) = links::list(&mut conn, ctx.project, agent.id, list.range()).await?;
    let mut views = Vec::with_capacity(rows.len());
    for link in &rows {
        views.push(AgentWhatsappConfig::read(&mut conn, ctx.project, link).await?);
    }
    Ok(list.page(views, total))
}
