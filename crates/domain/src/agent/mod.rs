//! Agents: graphs, their reader and rules, and variables.

mod check;
pub mod codes;
mod config;
mod graph;
mod headers;
mod names;
mod nearest;
mod node;
pub mod nodes;
mod query;
mod read;
mod room;
mod validate;
pub mod variables;

pub use check::Checked;
pub use config::{LlmConfig, RetryConfig};
pub use graph::{Edge, Graph};
pub use nearest::nearest;
pub use node::{END, Node, START};
pub use nodes::{
    Handoff, HttpMethod, KnowledgeBase, McpServer, NODE_TYPES, NodeKind, NodeTools, NodeType, Subagent, ToolQuery,
    Transport, WarmEnd, Webhook, WhatsappTemplate, request_tool_name,
};
pub use query::parse_query;
pub use room::Room;
pub use variables::{
    Destination, Filled, FilledValue, Sources, fill, fill_arguments, fill_context, fill_value, placeholders,
};
