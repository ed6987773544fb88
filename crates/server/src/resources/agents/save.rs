//! What create and update share: checking a graph, and storing an agent with a snapshot of its state.

use super::{create::NewAgent, settings, update::AgentChange, view};
use crate::{AppState, api::Problems};
use domain::{
    Id,
    agent::Graph,
    ids::{AgentId, ProjectId},
};
use engine::AgentContent;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use store::{Error, Result, Tx, agents, agents::AgentRow};

/// A graph of a request, in canonical form: [`read_graph`] has put it in the place of what was sent.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct GraphChange(Value);

impl GraphChange {
    /// As it is stored.
    pub(crate) fn stored(&self) -> String {
        self.0.to_string()
    }
}

/// Place of the graph in an agent's body.
pub(super) const GRAPH_AT: &str = "/agent/graph";

/// Reads and checks a graph once and returns its canonical form. Its reader knows more than the schema and takes more
/// spellings, so the schema has no say. Problems are reported under `at`.
pub(crate) fn read_graph(at: &str, graph: &Value, problems: &mut Problems) -> Value {
    match Graph::read(graph) {
        Ok(checked) => checked.graph.to_json(),
        Err(found) => {
            problems.extend_under(at, found);
            Value::Null
        }
    }
}

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
        mock_only_in_tests: row.webhooks_in_tests.as_deref() == Some(settings::MOCK_ONLY),
    };
    let text =
        serde_json::to_string(&content).map_err(|error| Error::Damaged { what: "snapshot", why: error.to_string() })?;
    let hash = Sha256::digest(text.as_bytes());
    let now = ctx.now();
    row.snapshot_id = agents::ensure_snapshot(tx, (project, row.id), ctx.new_id(), &hash, &text, now).await?;
    Ok(())
}

/// A row for a new agent.
pub(super) fn new_row(ctx: &AppState, new: NewAgent) -> AgentRow {
    let now = ctx.now();
    let id: AgentId = ctx.new_id();
    AgentRow {
        id,
        name: new.name,
        description: new.description,
        system_prompt: new.system_prompt.or(new.system_prompt_too),
        message_debounce_seconds: new.message_debounce_seconds.unwrap_or(0),
        agent_version: new.agent_version.unwrap_or(2),
        llm_config: settings::stored(new.llm_config.as_ref()),
        limits: settings::stored(new.limits.as_ref()),
        webhooks_in_tests: settings::in_tests(new.webhooks_in_tests.as_deref()),
        enabled_tools: settings::stored(new.enabled_tools.as_ref()),
        graph: new.graph.map_or_else(|| view::stored(&Graph::starter()), |graph| graph.stored()),
        snapshot_id: Id::from_uuid(id.uuid()),
        version: 1,
        created_at: now,
        updated_at: now,
    }
}

/// The row with what was sent.
pub(super) fn apply(row: &mut AgentRow, change: &AgentChange) {
    if let Some(name) = &change.name {
        row.name.clone_from(name);
    }
    if let Some(description) = &change.description {
        row.description.clone_from(description);
    }
    if let Some(prompt) = change.system_prompt.as_ref().or(change.system_prompt_too.as_ref()) {
        row.system_prompt.clone_from(prompt);
    }
    if let Some(debounce) = change.message_debounce_seconds {
        row.message_debounce_seconds = debounce.unwrap_or(0);
    }
    if let Some(version) = change.agent_version {
        row.agent_version = version;
    }
    if let Some(config) = &change.llm_config {
        row.llm_config = settings::stored(config.as_ref());
    }
    if let Some(limits) = &change.limits {
        row.limits = settings::stored(limits.as_ref());
    }
    if let Some(tools) = &change.enabled_tools {
        row.enabled_tools = settings::stored(tools.as_ref());
    }
    if let Some(word) = &change.webhooks_in_tests {
        row.webhooks_in_tests = settings::in_tests(Some(word));
    }
    if let Some(graph) = &change.graph {
        row.graph = graph.stored();
    }
}
