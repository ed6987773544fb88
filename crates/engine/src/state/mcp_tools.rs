//! The tools of a node's MCP servers. They are part of the state, so that a replay offers the same.

use domain::{Timestamp, chat::ToolSpec};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Tools that the MCP servers of a node offer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct McpTools {
    pub node: String,
    pub listed_at: Timestamp,
    /// In the order of the servers.
    pub tools: Vec<McpOffer>,
    /// Servers that could not be reached.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    pub unavailable: BTreeSet<String>,
    /// Tools that are not offered, by server: they differ from those of when the agent was saved.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub drifted: BTreeMap<String, Vec<String>>,
    /// Tokens that the tools take of each request.
    pub tokens: u32,
}

/// A tool of an MCP server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct McpOffer {
    /// Name in the node's settings.
    pub server: String,
    /// Name at the server.
    pub tool: String,
    /// As the model sees it.
    pub spec: ToolSpec,
}
