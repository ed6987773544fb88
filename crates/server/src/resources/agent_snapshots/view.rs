//! API representation of a snapshot.

use crate::{
    api::Time,
    resources::agents::{AgentGraph, shown},
};
use engine::AgentContent;
use runtime::json::from_json;
use serde::Serialize;
use serde_json::Value;
use store::{
    Result,
    agents::{AgentSummaryRow, SnapshotRow},
};
use utoipa::ToSchema;
use uuid::Uuid;

/// A stored state of an agent.
#[derive(Serialize, ToSchema)]
pub(crate) struct AgentSnapshot {
    id: Uuid,
    agent_id: Uuid,
    /// The agent's current name and the minute in which this state was first stored.
    name: String,
    created_at: Time,
    /// Equal to `created_at`: snapshots never change.
    updated_at: Time,
    #[schema(value_type = AgentGraph)]
    graph: Value,
}

impl AgentSnapshot {
    pub(super) fn of(agent: &AgentSummaryRow, row: &SnapshotRow) -> Result<Self> {
        let content: AgentContent = from_json("snapshot", &row.content)?;
        let minute: String = row.created_at.to_iso().replace('T', " ").chars().take("2025-06-02 14:05".len()).collect();
        Ok(Self {
            id: row.id.uuid(),
            agent_id: row.agent_id.uuid(),
            name: format!("{} Snapshot ({minute})", agent.name),
            created_at: row.created_at.into(),
            updated_at: row.created_at.into(),
            graph: shown(&content.graph.to_string())?,
        })
    }
}
