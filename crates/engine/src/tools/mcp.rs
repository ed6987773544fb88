//! Calls of tools of MCP servers: an effect, at most once, like a webhook.

use super::webhook::with_secrets;
use crate::{state::McpOffer, step_builder::StepBuilder};
use domain::{
    agent::{
        McpServer,
        variables::{self, Destination, Sources, fill_within},
    },
    chat::ToolCall,
    json,
    limits::REQUEST_VARIABLES,
    tool_request::{McpAsk, SecretMarks, ToolRequest},
};
use serde_json::{Map, Value, json};

pub(crate) fn run(step: &mut StepBuilder<'_>, call: &ToolCall, offer: &McpOffer, arguments: Map<String, Value>) {
    let servers = step.agent.mcp_servers(&step.state.visit.node);
    let Some(server) = servers.iter().find(|server| server.name == offer.server) else {
        return step.answer_first_call(call, json!({"error": "unknown_tool", "code": "unknown_tool"}));
    };
    match request(step, server, Some((&offer.tool, arguments))) {
        Some((request, secrets)) => step.request(call, request, secrets),
        None => step.refuse_large_request(call),
    }
}

/// The request to a server, for a call or for its list of tools, with marks where secrets belong.
/// `None` if it is too large.
pub(crate) fn request(
    step: &mut StepBuilder<'_>,
    server: &McpServer,
    call: Option<(&str, Map<String, Value>)>,
) -> Option<(ToolRequest, SecretMarks)> {
    let texts = server.headers.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]);
    if variables::exceed(texts, REQUEST_VARIABLES) {
        return None;
    }
    let (tool, arguments) = call.unzip();
    let of_arguments = arguments.as_ref().map_or(0, json::bytes_of);
    let ask = McpAsk { transport: server.transport, tool: tool.map(str::to_owned) };
    // Repeating a list is harmless; repeating a call may not be.
    let method = if ask.tool.is_some() { "POST" } else { "GET" };
    let request = ToolRequest {
        method: method.into(),
        url: server.url.clone(),
        headers: Vec::new(),
        body: arguments.map(Value::Object),
        idempotency_key: String::new(),
        mcp: Some(ask),
    };
    with_secrets(step, server.secret_names(), |context, room| {
        room.take(of_arguments);
        let sources = Sources { context: Some(context), arguments: None };
        let mut unknown = Vec::new();
        let mut fill = |text: &str| {
            let filled = fill_within(text, sources, Destination::Header, room);
            unknown.extend(filled.unknown);
            filled.text
        };
        let headers = server.headers.iter().map(|(name, value)| (fill(name), fill(value))).collect();
        (ToolRequest { headers, ..request.clone() }, unknown)
    })
}
