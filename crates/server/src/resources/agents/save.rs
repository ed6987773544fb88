//! Shared by create and update: stores the snapshot that an agent points to.

use super::settings;
use crate::{ApiError, AppState, error::Detail};
use domain::{
    Problem,
    agent::LlmConfig,
    event::Event,
    ids::{AgentId, ProjectId},
};
use engine::AgentContent;
use runtime::{events, model_providers, secrets};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use store::{
    Error, Tx,
    agents::{self, AgentRow, WebhooksInTests},
    executions,
};

/// JSON pointer of the graph in an agent's body.
pub(super) const GRAPH_AT: &str = "/agent/graph";
/// Maximum number of listed warnings.
pub(super) const MOST_WARNINGS: usize = 50;
/// Executions that are counted.
const COUNTED: usize = 100;

/// Stores the agent's state as a snapshot and points the agent to it. Fails if the project has stored
/// as much as it may.
pub(crate) async fn pin(
    ctx: &AppState,
    tx: &mut Tx<'_>,
    project: ProjectId,
    row: &mut AgentRow,
) -> Result<(), ApiError> {
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
    let new = ctx.new_id();
    row.snapshot_id = agents::ensure_snapshot(&mut tx.scope(project, ctx.now()), row.id, new, &hash, &text).await?;
    if row.snapshot_id == new {
        ctx.http().projects.allow_stored(tx, project, text.len()).await?;
    }
    Ok(())
}

/// Reports a new or changed agent. `published`: new conversations get another snapshot.
pub(super) async fn append_events(
    ctx: &AppState,
    tx: &mut Tx<'_>,
    project: ProjectId,
    row: &AgentRow,
    published: bool,
) -> store::Result<()> {
    events::append(ctx, tx, project, Event::AgentUpdated, row.id.uuid(), &json!({})).await?;
    if published {
        let body = json!({"snapshot_id": row.snapshot_id});
        events::append(ctx, tx, project, Event::AgentPublished, row.id.uuid(), &body).await?;
    }
    Ok(())
}

/// Warnings of the graph, and secrets that it names and the project does not have.
pub(super) async fn warnings(
    tx: &mut Tx<'_>,
    project: ProjectId,
    of_graph: &[Problem],
    named: &[(usize, Vec<String>)],
) -> store::Result<Vec<Detail>> {
    let mut warnings: Vec<Detail> = of_graph.iter().take(MOST_WARNINGS).map(Detail::from).collect();
    for (node, names) in named {
        for name in secrets::unset(tx, project, names.clone()).await? {
            if warnings.len() == MOST_WARNINGS {
                return Ok(warnings);
            }
            let message = format!("the project has no secret named {name}; requests that need it are not made");
            warnings.push(Detail::from(&Problem::new(format!("{GRAPH_AT}/nodes/{node}"), "secret_not_set", message)));
        }
    }
    Ok(warnings)
}

/// Model providers that the agent, or a node of a graph that was sent, names and that neither the
/// project nor the server has.
pub(super) async fn unknown_providers(
    ctx: &AppState,
    tx: &mut Tx<'_>,
    project: ProjectId,
    row: &AgentRow,
    of_nodes: &[(usize, Vec<String>)],
) -> store::Result<Vec<Detail>> {
    let model = settings::model(row.llm_config.as_deref())?;
    let model = model.as_ref().map(LlmConfig::read).unwrap_or_default();
    let of_agent = ("/agent/llm_config".to_owned(), model.provider_names().map(str::to_owned).collect());
    let of_nodes = of_nodes.iter().map(|(node, names)| (format!("{GRAPH_AT}/nodes/{node}/llm_config"), names.clone()));
    let mut warnings = Vec::new();
    for (path, names) in std::iter::once(of_agent).chain(of_nodes) {
        for name in model_providers::unknown(ctx, tx, project, names.iter().map(String::as_str)).await? {
            let message = format!("neither the project nor the server has a model provider named {name}");
            warnings.push(Detail::from(&Problem::new(path.clone(), "unknown_provider", message)));
        }
    }
    Ok(warnings)
}

/// The warning that executions keep the state that the agent had before.
pub(super) async fn still_running(
    tx: &mut Tx<'_>,
    project: ProjectId,
    agent: AgentId,
) -> store::Result<Option<Detail>> {
    let live = executions::live_of_agent(tx, project, agent, COUNTED as i64).await?.len();
    if live == 0 {
        return Ok(None);
    }
    let count = if live < COUNTED { live.to_string() } else { format!("{COUNTED} or more") };
    let message = format!(
        "{count} executions keep the agent as it was until they end; restart a sandbox session to try the new one"
    );
    Ok(Some(Detail::from(&Problem::new("/agent", "executions_running", message))))
}
