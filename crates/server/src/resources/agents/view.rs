//! How an agent is shown.

use domain::{agent::Graph, ids::ProjectId};
use serde_json::{Map, Value, json};
use store::{
    Error,
    agents::{AgentRow, AgentSummaryRow},
};

/// Without prompt and graph.
pub(crate) fn summary(project: ProjectId, row: &AgentSummaryRow) -> Value {
    json!({
        "id": row.id,
        "name": row.name,
        "description": row.description,
        "project_id": project,
        "created_at": row.created_at.to_iso(),
        "updated_at": row.updated_at.to_iso(),
    })
}

/// The summary of a whole row.
pub(super) fn summary_of(project: ProjectId, row: &AgentRow) -> Value {
    let (id, name, description) = (row.id, row.name.clone(), row.description.clone());
    summary(project, &AgentSummaryRow { id, name, description, created_at: row.created_at, updated_at: row.updated_at })
}

/// With prompt and graph. The description is left out unless it is asked for: published clients break on it here.
pub(super) fn whole(project: ProjectId, row: &AgentRow, with_description: bool) -> Result<Value, Error> {
    let mut view = json!({
        "id": row.id,
        "name": row.name,
        "system_prompt": row.system_prompt,
        "message_debounce_seconds": row.message_debounce_seconds,
        "project_id": project,
        "created_at": row.created_at.to_iso(),
        "updated_at": row.updated_at.to_iso(),
        "graph": shown(&row.graph)?,
    });
    if with_description {
        view["description"] = json!(row.description);
    }
    Ok(view)
}

/// The stored graph with what published clients read: a `tools` list and `metadata`, always there.
fn shown(graph: &str) -> Result<Value, Error> {
    let damaged = |why: String| Error::Damaged { what: "graph", why };
    let stored: Value = serde_json::from_str(graph).map_err(|error| damaged(error.to_string()))?;
    let mut shown = match stored {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    shown.entry("tools").or_insert_with(|| json!([]));
    shown.entry("metadata").or_insert_with(|| json!({}));
    Ok(Value::Object(shown))
}

/// A graph as it is stored.
pub(super) fn stored(graph: &Graph) -> String {
    graph.to_json().to_string()
}
