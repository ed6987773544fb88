//! API representation of a snapshot.

use crate::{
    api::Time,
    resources::agents::{AgentGraph, shown},
};
use domain::{Timestamp, ids::SnapshotId};
use engine::AgentContent;
use runtime::json::from_json;
use serde::Serialize;
use serde_json::Value;
use store::{
    Result,
    agents::{AgentSummaryRow, SnapshotRow, SnapshotSummaryRow},
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
        Ok(Self {
            id: row.id.uuid(),
            agent_id: row.agent_id.uuid(),
            name: name(agent, row.created_at),
            created_at: row.created_at.into(),
            updated_at: row.created_at.into(),
            graph: shown(&content.graph.to_string())?,
        })
    }
}

/// A snapshot in a list, without its graph.
#[derive(Serialize, ToSchema)]
pub(super) struct AgentSnapshotSummary {
    id: Uuid,
    agent_id: Uuid,
    /// As in the snapshot.
    name: String,
    /// True for the state that new executions get.
    current: bool,
    created_at: Time,
}

pub(super) fn summary(
    agent: &AgentSummaryRow,
    row: &SnapshotSummaryRow,
    current: Option<SnapshotId>,
) -> AgentSnapshotSummary {
    AgentSnapshotSummary {
        id: row.id.uuid(),
        agent_id: agent.id.uuid(),
        name: name(agent, row.created_at),
        current: current == Some(row.id),
        created_at: row.created_at.into(),
    }
}

fn name(agent: &AgentSummaryRow, at: Timestamp) -> String {
    let minute: String = at.to_iso().replace('T', " ").chars().take("2025-06-02 14:05".len()).collect();
    format!("{} Snapshot ({minute})", agent.name)
}
