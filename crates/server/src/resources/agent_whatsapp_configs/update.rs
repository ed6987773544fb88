//! `PUT /agents/{agent_id}/agent_whatsapp_configs/{id}`

use super::view::{AgentWhatsappConfig, LINK};
use crate::{
    ApiError,
    api::{Data, RequestBody, body},
    auth::ProjectContext,
    change::{Changed, change},
    found::{Found, OrNotFound as _},
};
use axum::extract::Request;
use serde::Deserialize;
use store::{
    agent_whatsapp_configs::{self as links, AgentWhatsappConfigRow},
    whatsapp_configs,
};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
pub(super) struct AgentWhatsappConfigUpdateRequest {
    agent_whatsapp_config: AgentWhatsappConfigChange,
}

impl RequestBody for AgentWhatsappConfigUpdateRequest {
    const WRAPPER: &'static [&'static str] = &["agent_whatsapp_config"];
}

/// Omitted fields stay unchanged.
#[derive(Deserialize, ToSchema)]
struct AgentWhatsappConfigChange {
    /// True clears the flag of the number's other links.
    #[schema(nullable = false)]
    is_primary: Option<bool>,
}

/// Change the primary flag
///
/// The agent of the primary link answers on the number, otherwise the one linked first.
#[utoipa::path(
    put, path = "/agents/{agent_id}/agent_whatsapp_configs/{id}", operation_id = "update_agent_whatsapp_config",
    tag = "Agent WhatsApp Configs", request_body = AgentWhatsappConfigUpdateRequest,
    params(("agent_id", description = "Agent id."), ("id", description = "Link id.")),
    responses((status = 200, description = "The link.", body = Data<AgentWhatsappConfig>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(link): Found<AgentWhatsappConfigRow>,
    request: Request,
) -> Result<Changed<Data<AgentWhatsappConfig>>, ApiError> {
    let project = ctx.project;
    let sent = body::read::<AgentWhatsappConfigUpdateRequest>(request).await?.agent_whatsapp_config;
    change!(ctx, "agent_whatsapp_config.update", tx => {
        // Locks the config's row first, so that links of one number change one at a time.
        let config = whatsapp_configs::lock(tx, project, link.whatsapp_config_id).await?;
        let config = config.ok_or(ApiError::NotFound(LINK))?;
        let now = ctx.now();
        if let Some(is_primary) = sent.is_primary {
            if is_primary {
                links::clear_primary(tx, project, config.id, now).await?;
            }
            links::set_primary(tx, project, link.id, is_primary, now).await?;
        }
        let link = links::find(tx, project, link.agent_id, link.id).await?.found()?;
        Ok(Data { data: AgentWhatsappConfig::of(&link, &config) })
    })
}
