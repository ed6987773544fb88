//! Sends a tool's request to its kind of receiver. A file of its own, because MCP uses the guarded
//! client itself.

use crate::{egress::Egress, mcp};
use domain::tool_request::{ToolAnswer, ToolRequest};

impl Egress {
    /// Sends a request over HTTP or to an MCP server, or to the function that stands in for the
    /// network.
    pub async fn send(&self, request: &ToolRequest) -> ToolAnswer {
        self.send_as(request, false).await
    }

    /// As [`Self::send`]. If the request holds secrets, its body follows no redirect to another
    /// server.
    pub async fn send_as(&self, request: &ToolRequest, holds_secrets: bool) -> ToolAnswer {
        if let Some(world) = self.in_process_transport() {
            return world.call(request.clone()).await;
        }
        match &request.mcp {
            Some(ask) => mcp::exchange(self, request, ask).await,
            None => self.send_http(request, holds_secrets).await,
        }
    }
}
