//! Links between agents and WhatsApp numbers. A number has at most one primary link.

use crate::db::{Conn, Result, Tx, rows, run, statements};
use domain::{Timestamp, ids::{AgentId, AgentWhatsappConfigId, ProjectId, WhatsappConfigId}};

rows! {
    #[derive(Debug, Clone)]
    pub struct AgentWhatsappConfigRow {
        pub id: AgentWhatsappConfigId,
        pub agent_id: AgentId,
        pub whatsapp_config_id: WhatsappConfigId,
        /// This agent answers before the others of the number.
        pub is_primary: bool,
        pub created_at: Timestamp,
        pub updated_at: Timestamp,
    }
}

statements! {
    INSERT = ["INSERT INTO agent_whatsapp_configs (project_id, id, agent_id, whatsapp_config_id, is_primary, created_at, updated_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $6)"];
    FIND = ["SELECT ", AgentWhatsappConfigRow, " FROM agent_whatsapp_configs \
             WHERE project_id = $1 AND agent_id = $2 AND id = $3"];
    LOCK = ["UPDATE agent_whatsapp_configs SET updated_at = updated_at WHERE project_id = $1 AND agent_id = $2 AND id = $3 \
             RETURNING ", AgentWhatsappConfigRow];
    OF_CONFIG = ["SELECT ", AgentWhatsappConfigRow, " FROM agent_whatsapp_configs \
                  WHERE project_id = $1 AND whatsapp_config_id = $2 ORDER BY is_primary DESC, created_at, id"];
    ANSWERS = ["SELECT agent_id FROM agent_whatsapp_configs WHERE project_id = $1 AND whatsapp_config_id = $2 \
                ORDER BY is_primary DESC, created_at, id LIMIT 1"];
    SET_PRIMARY = ["UPDATE agent_whatsapp_configs SET is_primary = $3, updated_at = $4 WHERE project_id = $1 AND id = $2"];
    NO_PRIMARY = ["UPDATE agent_whatsapp_configs SET is_primary = 0, updated_at = $3 \
                   WHERE project_id = $1 AND whatsapp_config_id = $2 AND is_primary = 1"];
    DELETE = ["DELETE FROM agent_whatsapp_configs WHERE project_id = $1 AND id = $2"];
    LIST = ["SELECT ", AgentWhatsappConfigRow, " FROM agent_whatsapp_configs \
             WHERE project_id = $1 AND agent_id = $2 ORDER BY created_at DESC, id DESC LIMIT $3 OFFSET $4"];
    COUNT = ["SELECT count(*) FROM agent_whatsapp_configs WHERE project_id = $1 AND agent_id = $2"];
}

/// [`crate::Error::Conflict`] if the agent is linked already, or the number has another primary
/// link.
pub async fn insert(tx: &mut Tx<'_>, project: ProjectId, l: &AgentWhatsappConfigRow) -> Result<()> {
    run!(tx, INSERT, [project, l.id, l.agent_id, l.whatsapp_config_id, i64::from(l.is_primary), l.created_at], execute).map(drop)
}

pub async fn find(conn: &mut Conn<'_>, project: ProjectId, agent: AgentId, id: AgentWhatsappConfigId) -> Result<Option<AgentWhatsappConfigRow>> {
    run!(conn, FIND, [project, agent, id], fetch_optional as AgentWhatsappConfigRow)
}

/// Reads and locks a link until the transaction ends.
pub async fn lock(tx: &mut Tx<'_>, project: ProjectId, agent: AgentId, id: AgentWhatsappConfigId) -> Result<Option<AgentWhatsappConfigRow>> {
    run!(tx, LOCK, [project, agent, id], fetch_optional as AgentWhatsappConfigRow)
}

/// The links of a number; the first one answers.
pub async fn of_config(conn: &mut Conn<'_>, project: ProjectId, config: WhatsappConfigId) -> Result<Vec<AgentWhatsappConfigRow>> {
    run!(conn, OF_CONFIG, [project, config], fetch_all as AgentWhatsappConfigRow)
}

/// The agent of the primary link, else of the oldest one.
pub async fn answers_on(conn: &mut Conn<'_>, project: ProjectId, config: WhatsappConfigId) -> Result<Option<AgentId>> {
    Ok(run!(conn, ANSWERS, [project, config], fetch_optional as (AgentId,))?.map(|(id,)| id))
}

/// Clears the primary flag on the number's links.
pub async fn clear_primary(tx: &mut Tx<'_>, project: ProjectId, config: WhatsappConfigId, now: Timestamp) -> Result<()> {
    run!(tx, NO_PRIMARY, [project, config, now], execute).map(drop)
}

/// No other link of the number may be primary.
pub async fn set_primary(tx: &mut Tx<'_>, project: ProjectId, id: AgentWhatsappConfigId, is_primary: bool, now: Timestamp) -> Result<()> {
    run!(tx, SET_PRIMARY, [project, id, i64::from(is_primary), now], execute).map(drop)
}

pub async fn delete(tx: &mut Tx<'_>, project: ProjectId, id: AgentWhatsappConfigId) -> Result<()> {
    run!(tx, DELETE, [project, id], execute).map(drop)
}

/// A page of an agent's links, newest first, and their number.
pub async fn list(
    conn: &mut Conn<'_>,
    project: ProjectId,
    agent: AgentId,
    (limit, offset): (i64, i64),
) -> Result<(Vec<AgentWhatsappConfigRow>, i64)> {
    let rows = run!(conn, LIST, [project, agent, limit, offset], fetch_all as AgentWhatsappConfigRow)?;
    let (total,) = run!(conn, COUNT, [project, agent], fetch_one as (i64,))?;
    Ok((rows, total))
}
