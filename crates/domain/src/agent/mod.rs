//! An agent: its graph, how it is read, checked and filled with variables.

pub mod codes;
mod config;
mod graph;
mod headers;
mod mcp;
mod nearest;
mod node;
mod query;
mod read;
mod tools;
mod validate;
pub mod variables;
mod webhook;

pub use config::{LlmConfig, RetryConfig};
pub use graph::{Checked, Edge, Graph};
pub use mcp::{McpServer, ToolQuery, Transport};
pub use nearest::nearest;
pub use node::{END, NODE_TYPES, Node, NodeKind, START};
pub use tools::{BUILT_IN_TOOLS, KnowledgeBase, Subagent, WhatsappTemplate};
pub use variables::{
    Filled, FilledValue, Place, Sources, fill, fill_arguments, fill_context, fill_value, placeholders,
};
pub use webhook::{HttpMethod, Webhook, compile_schema, request_tool_name};
