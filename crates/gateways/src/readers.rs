//! Readers of what other systems answer, without their connections: for measurements of cost.

use crate::{egress, mcp};
use domain::tool_request::ToolAnswer;
use serde_json::Value;

/// Content of a webhook's answer; `None` if it has too many values.
pub fn webhook_content(body: &[u8]) -> Option<Value> {
    egress::content_of(body)
}

/// Answer of an MCP server to a call with the id 1.
pub fn mcp_result(body: &[u8]) -> ToolAnswer {
    mcp::read_response(body, false)
}

/// Tools that an MCP server lists in its answer to a request with the id 1.
pub fn mcp_tools(body: &[u8]) -> ToolAnswer {
    mcp::read_response(body, true)
}
