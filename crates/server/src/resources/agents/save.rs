//! Shared by create and update: stores the snapshot that an agent points to.

use super::settings;
use crate::AppState;
use domain::ids::ProjectId;
use engine::AgentContent;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use store::{
    Error, Result, Tx,
    agents::{self, AgentRow, WebhooksInTests},
};

/// JSON pointer of the graph in an agent's body.
pub(super) const GRAPH_AT: &str = "/agent/graph";

/// Stores the agent's state as a snapshot and points the agent to it.
pub(crate) async fn pin(ctx: &AppState, tx: &mut Tx<'_>, project: ProjectId, row: &mut AgentRow) -> Result<()> {
    let graph: Value =
        serde_json::from_str(&row.graph).map_err(|error| Error::Damaged { what: "graph", why: error.to_string() })?;
    let content = AgentContent {
        system_prompt: row.system_prompt.clone(),
        agent_version: row.agent_version,
        graph,
        llm_config: settings::model(row.llm_config.as_deref())?,
        limits: settings::read("limits", row.limits.as_deref())?.unwrap_or_default(),
        enabled_tools: settings::read("enabled_tools", row.enabled_tools.as_deref())?.unwrap_or_default(),
        mock_only_in_tests: row.webhooks_in_tests == Some(WebhooksInTests::MockOnly),
    };
    let text =
        serde_json::to_string(&content).map_err(|error| Error::Damaged { what: "snapshot", why: error.to_string() })?;
    let hash = Sha256::digest(text.as_bytes());
    let mut scope = tx.scope(project, ctx.now());
    row.snapshot_id = agents::ensure_snapshot(&mut scope, row.id, ctx.new_id(), &hash, &text).await?;
    Ok(())
}
