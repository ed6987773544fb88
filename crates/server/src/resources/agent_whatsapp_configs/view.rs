//! How a link is shown, and what its routes share.

use crate::{ApiError, api::Time, auth::path_id, resources::whatsapp_configs::WhatsappConfig};
use domain::ids::{AgentId, ProjectId};
use serde::Serialize;
use store::{
    Conn,
    agent_whatsapp_configs::AgentWhatsappConfigRow,
    agents,
    whatsapp_configs::{self, WhatsappConfigRow},
};
use utoipa::ToSchema;
use uuid::Uuid;

/// What a link is called where it is not found.
pub(super) const LINK: &str = "Agent WhatsApp config";

/// A number that an agent answers on.
#[derive(Serialize, ToSchema)]
pub(super) struct AgentWhatsappConfig {
    id: Uuid,
    /// Whether this agent answers rather than others that are linked to the number. Where none is primary, the one that was
    /// linked first answers.
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

/// The agent that the path names. `what` is not found if there is none.
pub(super) async fn agent(
    conn: &mut Conn<'_>,
    project: ProjectId,
    agent_id: &str,
    what: &'static str,
) -> Result<AgentId, ApiError> {
    let id = path_id(agent_id, what)?;
    agents::summary(conn, project, id).await?.map(|row| row.id).ok_or(ApiError::NotFound(what))
}
