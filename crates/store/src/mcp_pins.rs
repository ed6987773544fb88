//! Tools of MCP servers that an agent may offer: those listed first after it was saved.

use crate::db::{Conn, Result, Tx, run, statements};
use domain::{Timestamp, ids::{AgentId, ProjectId}};

statements! {
    FIND = ["SELECT tools FROM mcp_pins WHERE project_id = $1 AND agent_id = $2 AND node = $3 AND server = $4"];
    INSERT = ["INSERT INTO mcp_pins (project_id, agent_id, node, server, tools, pinned_at) VALUES ($1, $2, $3, $4, $5, $6) \
               ON CONFLICT (project_id, agent_id, node, server) DO NOTHING"];
    DELETE = ["DELETE FROM mcp_pins WHERE project_id = $1 AND agent_id = $2"];
}

/// A server as one node of an agent names it.
#[derive(Debug, Clone, Copy)]
pub struct Place<'p> {
    pub agent: AgentId,
    pub node: &'p str,
    pub server: &'p str,
}

/// JSON of the pinned tools; none before the first list.
pub async fn find(conn: &mut Conn<'_>, project: ProjectId, place: Place<'_>) -> Result<Option<String>> {
    let row = run!(conn, FIND, [project, place.agent, place.node, place.server], fetch_optional as (String,))?;
    Ok(row.map(|(tools,)| tools))
}

/// Pins the tools, unless another list was first.
pub async fn insert(tx: &mut Tx<'_>, project: ProjectId, place: Place<'_>, tools: &str, now: Timestamp) -> Result<()> {
    run!(tx, INSERT, [project, place.agent, place.node, place.server, tools, now], execute).map(drop)
}

/// Lets each server's next list be pinned.
pub async fn delete(tx: &mut Tx<'_>, project: ProjectId, agent: AgentId) -> Result<()> {
    run!(tx, DELETE, [project, agent], execute).map(drop)
}
