//! The tools of a node's MCP servers. They are part of the state, so that a replay offers the same.

use domain::{Timestamp, chat::ToolSpec};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What the MCP servers of a node offer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct McpTools {
    /// The node.
    pub node: String,
    /// When they were asked.
    pub listed_at: Timestamp,
    /// The tools, in the order of the servers.
    pub tools: Vec<McpOffer>,
    /// The servers that could not be asked.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    pub unavailable: BTreeSet<String>,
    /// What the tools take of each question.
    pub tokens: u32,
}

/// A tool of a server as the model is offered it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct McpOffer {
    /// The server, as the node names it.
    pub server: String,
    /// The tool, as the server names it.
    pub tool: String,
    /// What the model sees.
    pub spec: ToolSpec,
}
