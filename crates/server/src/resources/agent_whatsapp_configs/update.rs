//! `PUT /agents/{agent_id}/agent_whatsapp_configs/{id}`

use super::view::{self, AgentWhatsappConfig, LINK};
use crate::{
    ApiError,
    api::{Changed, Data, RequestBody, body, change},
    auth::{ProjectContext, path_id},
};
use axum::extract::{Path, Request};
use domain::ids::AgentWhatsappConfigId;
use serde::Deserialize;
use store::{agent_whatsapp_configs as links, whatsapp_configs};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
pub(super) struct AgentWhatsappConfigUpdateRequest {
    agent_whatsapp_config: AgentWhatsappConfigChange,
}

impl RequestBody for AgentWhatsappConfigUpdateRequest {
    const WRAPPER: &'static [&'static str] = &["agent_whatsapp_config"];
}

/// What is left out stays as it is.
#[derive(Deserialize, ToSchema)]
struct AgentWhatsappConfigChange {
    /// True takes the flag from the number's other links.
    #[schema(nullable = false)]
    is_primary: Option<bool>,
}

/// Change the primary flag
#[utoipa::path(
    put, path = "/agents/{agent_id}/agent_whatsapp_configs/{id}", operation_id = "update_agent_whatsapp_config",
    tag = "Agent WhatsApp Configs", request_body = AgentWhatsappConfigUpdateRequest,
    params(("agent_id", description = "Agent id."), ("id", description = "Link id.")),
    responses((status = 200, description = "The link.", body = Data<AgentWhatsappConfig>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Path((agent_id, id)): Path<(String, String)>,
    request: Request,
) -> Result<Changed<Data<AgentWhatsappConfig>>, ApiError> {
    let project = ctx.project;
    let (agent, link) = {
        let mut reader = ctx.store.read().await?;
        let mut conn = reader.conn();
        let agent = view::agent(&mut conn, project, &agent_id, LINK).await?;
        let id: AgentWhatsappConfigId = path_id(&id, LINK)?;
        let link = links::find(&mut conn, project, agent, id).await?;
        (agent, link.ok_or(ApiError::NotFound(LINK))?)
    };
    let sent = body::read::<AgentWhatsappConfigUpdateRequest>(request).await?.agent_whatsapp_config;
    change!(ctx, "agent_whatsapp_config.update", tx => {
        // The config's row is locked first, so that links of one number change one after the other.
        let config = whatsapp_configs::lock(tx, project, link.whatsapp_config_id).await?;
        let config = config.ok_or(ApiError::NotFound(LINK))?;
        let now = ctx.now();
        if let Some(is_primary) = sent.is_primary {
            if is_primary {
                links::clear_primary(tx, project, config.id, now).await?;
            }
            links::set_primary(tx, project, link.id, is_primary, now).await?;
        }
        let link = links::find(tx, project, agent, link.id).await?.ok_or(ApiError::NotFound(LINK))?;
        Ok(Data { data: AgentWhatsappConfig::of(&link, &config) })
    })
}
