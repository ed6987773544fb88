//! `GET /agents/{agent_id}/agent_whatsapp_configs`

use super::view::{self, AgentWhatsappConfig};
use crate::{
    ApiError,
    api::{List, Page},
    auth::ProjectContext,
};
use axum::extract::Path;
use store::agent_whatsapp_configs as links;

/// List the configs that an agent answers on
///
/// Up to 1,000 come unless a page is asked for.
#[utoipa::path(
    get, path = "/agents/{agent_id}/agent_whatsapp_configs", operation_id = "list_agent_whatsapp_configs",
    tag = "Agent WhatsApp Configs", params(("agent_id", description = "Agent id."), List),
    responses((status = 200, description = "The links.", body = Page<AgentWhatsappConfig>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Path(agent_id): Path<String>,
    list: List,
) -> Result<Page<AgentWhatsappConfig>, ApiError> {
    let list = list.or_everything();
    let mut reader = ctx.store.read().await?;
    let mut conn = reader.conn();
    let agent = view::agent(&mut conn, ctx.project, &agent_id, "Agent").await?;
    let (rows, total) = links::list(&mut conn, ctx.project, agent, list.range()).await?;
    let mut views = Vec::with_capacity(rows.len());
    for link in &rows {
        views.push(AgentWhatsappConfig::read(&mut conn, ctx.project, link).await?);
    }
    Ok(list.page(views, total))
}
