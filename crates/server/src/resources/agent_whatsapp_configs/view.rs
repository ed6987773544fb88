//! API representation of a link, and helpers of its routes.

use crate::{ApiError, api::Time, found::PathRow, resources::whatsapp_configs::WhatsappConfig};
use domain::ids::ProjectId;
use serde::Serialize;
use store::{
    Conn,
    agent_whatsapp_configs::{self as links, AgentWhatsappConfigRow},
    whatsapp_configs::{self, WhatsappConfigRow},
};
use utoipa::ToSchema;
use uuid::Uuid;

/// Name in 404 errors.
pub(super) const LINK: &str = "Agent WhatsApp config";

/// Link between an agent and a number.
#[derive(Serialize, ToSchema)]
pub(super) struct AgentWhatsappConfig {
    id: Uuid,
    /// True if this agent answers instead of others linked to the number. Without a primary link
    /// the first linked agent answers.
    is_primary: bool,
    created_at: Time,
    updated_at: Time,
    whatsapp_config: WhatsappConfig,
}

impl AgentWhatsappConfig {
    pub(super) fn of(link: &AgentWhatsappConfigRow, config: &WhatsappConfigRow) -> Self {
        Self {
            id: link.id.uuid(),
            is_primary: link.is_primary,
            created_at: link.created_at.into(),
            updated_at: link.updated_at.into(),
            whatsapp_config: WhatsappConfig::of(config),
        }
    }

    /// Reads the link's config.
    pub(super) async fn read(
        conn: &mut Conn<'_>,
        project: ProjectId,
        link: &AgentWhatsappConfigRow,
    ) -> Result<Self, ApiError> {
        let config = whatsapp_configs::find(conn, project, link.whatsapp_config_id).await?;
        Ok(Self::of(link, &config.ok_or(ApiError::NotFound(LINK))?))
    }
}

impl PathRow for AgentWhatsappConfigRow {
    const NAME: &'static str = LINK;

    async fn load(conn: &mut Conn<'_>, project: ProjectId, path: &[String]) -> Result<Option<Self>, ApiError> {
        let [agent, id] = path else { return Ok(None) };
        let (Ok(agent), Ok(id)) = (agent.parse(), id.parse()) else { return Ok(None) };
        Ok(links::find(conn, project, agent, id).await?)
    }
}
