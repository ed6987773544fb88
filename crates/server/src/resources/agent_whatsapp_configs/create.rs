//! `POST /agents/{agent_id}/agent_whatsapp_configs`

use super::view::AgentWhatsappConfig;
use crate::{
    ApiError,
    api::{Created, Data, RequestBody, body},
    auth::ProjectContext,
    change::{Changed, change},
    found::Found,
};
use axum::extract::Request;
use domain::Id;
use serde::Deserialize;
use store::{
    agent_whatsapp_configs::{self as links, AgentWhatsappConfigRow},
    agents, whatsapp_configs,
};
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Deserialize, ToSchema)]
pub(super) struct AgentWhatsappConfigCreateRequest {
    agent_whatsapp_config: NewAgentWhatsappConfig,
}

impl RequestBody for AgentWhatsappConfigCreateRequest {
    const WRAPPER: &'static [&'static str] = &["agent_whatsapp_config"];
}

#[derive(Deserialize, ToSchema)]
struct NewAgentWhatsappConfig {
    /// Config of the number.
    whatsapp_config_id: Uuid,
    /// True lets this agent answer instead of others linked to the number. Default: true if no
    /// other link is primary.
    #[schema(nullable = false)]
    is_primary: Option<bool>,
}

/// Link an agent to a config
///
/// A primary link clears the flag of the number's other links.
#[utoipa::path(
    post, path = "/agents/{agent_id}/agent_whatsapp_configs", operation_id = "create_agent_whatsapp_config",
    tag = "Agent WhatsApp Configs", request_body = AgentWhatsappConfigCreateRequest,
    params(("agent_id", description = "Agent id.")),
    responses(
        (status = 201, description = "The link.", body = Data<AgentWhatsappConfig>),
        (status = 422, description = "Details: `unknown_config`, `taken`"),
    )
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(agent): Found<agents::AgentSummaryRow>,
    request: Request,
) -> Result<Changed<Created<AgentWhatsappConfig>>, ApiError> {
    let project = ctx.project;
    let agent = agent.id;
    let new = body::read::<AgentWhatsappConfigCreateRequest>(request).await?.agent_whatsapp_config;
    let invalid = |code, why| ApiError::invalid("/agent_whatsapp_config/whatsapp_config_id", code, why);
    change!(ctx, "agent_whatsapp_config.create", tx => {
        // Locks the config's row first, so that links of one number are created one at a time.
        let config = whatsapp_configs::lock(tx, project, Id::from_uuid(new.whatsapp_config_id)).await?;
        let config = config.ok_or_else(|| invalid("unknown_config", "no such WhatsApp config"))?;
        let others = links::of_config(tx, project, config.id).await?;
        if others.iter().any(|link| link.agent_id == agent) {
            return Err(invalid("taken", "the agent answers on it already"));
        }
        let now = ctx.now();
        let is_primary = new.is_primary.unwrap_or_else(|| others.iter().all(|link| !link.is_primary));
        if is_primary {
            links::clear_primary(tx, project, config.id, now).await?;
        }
        let link = AgentWhatsappConfigRow {
            id: ctx.new_id(),
            agent_id: agent,
            whatsapp_config_id: config.id,
            is_primary,
            created_at: now,
            updated_at: now,
        };
        links::insert(tx, project, &link).await?;
        Ok(Created(AgentWhatsappConfig::of(&link, &config)))
    })
}
