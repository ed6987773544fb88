//! What create and update share: reading the fields, and storing an agent with a snapshot of its state.

use super::view;
use crate::{Context, fields::Fields};
use domain::{
    Id, Problem,
    agent::Graph,
    ids::{AgentId, ProjectId},
};
use engine::AgentContent;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use store::{Error, Result, Tx, agents, agents::AgentRow};

/// Longest name, prompt and description.
const NAME: usize = 120;
const PROMPT: usize = 64 * 1024;
const DESCRIPTION: usize = 2_000;

/// The fields that were sent; `None` leaves a field as it is, an inner `None` clears it.
#[derive(Debug, Default)]
pub(super) struct Change {
    pub name: Option<String>,
    pub description: Option<Option<String>>,
    pub system_prompt: Option<Option<String>>,
    pub debounce: Option<i64>,
    pub graph: Option<Graph>,
}

/// Reads all fields and notes every problem.
pub(super) fn read(fields: &mut Fields, creating: bool) -> Change {
    let mut change = Change::default();
    if creating || fields.has("name") {
        change.name = Some(fields.required_text("name", NAME));
    }
    if fields.has("description") {
        change.description = Some(fields.text("description", DESCRIPTION));
    }
    // Published clients write it either way.
    for name in ["system_prompt", "systemPrompt"] {
        if fields.has(name) && change.system_prompt.is_none() {
            change.system_prompt = Some(fields.text(name, PROMPT));
        }
    }
    if fields.has("message_debounce_seconds") {
        change.debounce = Some(fields.whole("message_debounce_seconds", 0, 60).unwrap_or(0));
    }
    match fields.take("graph") {
        None | Some(Value::Null) => {}
        Some(graph) => match Graph::read(&graph) {
            Ok(checked) => {
                fields.problems_under("graph", unsupported(&checked.graph));
                change.graph = Some(checked.graph);
            }
            Err(problems) => fields.problems_under("graph", problems),
        },
    }
    change
}

/// What the graph needs and this release cannot run: refused now rather than in the middle of a conversation.
fn unsupported(graph: &Graph) -> Vec<Problem> {
    let of = |(place, node)| {
        let what = engine::unsupported(node)?;
        Some(Problem::new(
            format!("/nodes/{place}/type"),
            "unsupported",
            format!("{what} is not supported by this release yet"),
        ))
    };
    graph.nodes.iter().enumerate().filter_map(of).collect()
}

/// Stores the agent's state as a snapshot and points the agent to it.
pub(super) async fn pin(ctx: &Context, tx: &mut Tx<'_>, project: ProjectId, row: &mut AgentRow) -> Result<()> {
    let graph: Value =
        serde_json::from_str(&row.graph).map_err(|error| Error::Damaged { what: "graph", why: error.to_string() })?;
    let content = AgentContent { system_prompt: row.system_prompt.clone(), agent_version: row.agent_version, graph };
    let text =
        serde_json::to_string(&content).map_err(|error| Error::Damaged { what: "snapshot", why: error.to_string() })?;
    let hash = Sha256::digest(text.as_bytes());
    let now = ctx.now();
    row.snapshot_id = agents::ensure_snapshot(tx, (project, row.id), ctx.new_id(), &hash, &text, now).await?;
    Ok(())
}

/// A row for a new agent.
pub(super) fn new_row(ctx: &Context, change: Change) -> AgentRow {
    let now = ctx.now();
    let id: AgentId = ctx.new_id();
    AgentRow {
        id,
        name: change.name.unwrap_or_default(),
        description: change.description.flatten(),
        system_prompt: change.system_prompt.flatten(),
        message_debounce_seconds: change.debounce.unwrap_or(0),
        agent_version: 2,
        graph: view::stored(&change.graph.unwrap_or_else(Graph::starter)),
        snapshot_id: Id::from_uuid(id.uuid()),
        version: 1,
        created_at: now,
        updated_at: now,
    }
}

/// The row with what was sent.
pub(super) fn apply(row: &mut AgentRow, change: &Change) {
    if let Some(name) = &change.name {
        row.name.clone_from(name);
    }
    if let Some(description) = &change.description {
        row.description.clone_from(description);
    }
    if let Some(prompt) = &change.system_prompt {
        row.system_prompt.clone_from(prompt);
    }
    if let Some(debounce) = change.debounce {
        row.message_debounce_seconds = debounce;
    }
    if let Some(graph) = &change.graph {
        row.graph = view::stored(graph);
    }
}
