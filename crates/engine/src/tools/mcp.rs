//! Calls of tools of MCP servers: an effect, at most once, like a webhook.

use super::webhook::{cut, search, with_secrets};
use crate::{state::McpOffer, step_builder::StepBuilder};
use domain::{
    agent::{
        McpServer, compile_schema,
        variables::{Destination, fill_context},
    },
    chat::ToolCall,
    tool_request::{McpAsk, SecretMarks, ToolAnswer, ToolRequest},
};
use serde_json::{Map, Value, json};

pub(crate) fn run(step: &mut StepBuilder<'_>, call: &ToolCall, offer: &McpOffer, arguments: Map<String, Value>) {
    let servers = step.agent.mcp_servers(&step.state.visit.node);
    let Some(server) = servers.iter().find(|server| server.name == offer.server) else {
        return step.answer_first_call(call, json!({"error": "unknown_tool", "code": "unknown_tool"}));
    };
    let (request, secrets) = request(step, server, Some((&offer.tool, arguments)));
    step.request(call, request, secrets);
}

/// The request to a server, for a call or for its list of tools, with marks where secrets belong.
pub(crate) fn request(
    step: &mut StepBuilder<'_>,
    server: &McpServer,
    call: Option<(&str, Map<String, Value>)>,
) -> (ToolRequest, SecretMarks) {
    let (tool, arguments) = call.unzip();
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
    with_secrets(step, server.secret_names(), |context| {
        let mut unknown = Vec::new();
        let mut fill = |text: &str| {
            let filled = fill_context(text, context, Destination::Header);
            unknown.extend(filled.unknown);
            filled.text
        };
        let headers = server.headers.iter().map(|(name, value)| (fill(name), fill(value))).collect();
        (ToolRequest { headers, ..request.clone() }, unknown)
    })
}

/// The result for the model, or the part that the builder selected. It is untrusted text and stays
/// inside JSON, where it cannot begin a line.
pub(crate) fn result(step: &mut StepBuilder<'_>, call: &ToolCall, answer: &ToolAnswer) -> Value {
    match answer {
        ToolAnswer::Failed { code, message } => json!({"error": message, "code": code}),
        ToolAnswer::Answered { content, truncated, .. } => {
            let mut result = json!({"result": selected(step, call, content)});
            if *truncated {
                result["truncated"] = Value::Bool(true);
            }
            cut(result)
        }
    }
}

/// Applies the builder's query to the structured content, else to the text read as JSON. A failing
/// query returns the content unchanged.
fn selected(step: &mut StepBuilder<'_>, call: &ToolCall, content: &Value) -> Value {
    let offer = step.state.offers().iter().find(|offer| offer.spec.name == call.name);
    let servers = step.agent.mcp_servers(&step.state.visit.node);
    let Some(query) = offer.and_then(|offer| query(servers, offer)) else { return content.clone() };
    let parsed = content.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
    search(query, parsed.as_ref().unwrap_or(content)).unwrap_or_else(|error| {
        step.event("warning", json!({"code": "jmespath", "message": error}));
        content.clone()
    })
}

/// Validator of a tool's arguments.
pub(crate) fn validator(offer: &McpOffer) -> Option<jsonschema::Validator> {
    compile_schema(&offer.spec.parameters).ok()
}

/// The query that the builder set for this tool.
fn query<'a>(servers: &'a [McpServer], offer: &McpOffer) -> Option<&'a str> {
    let server = servers.iter().find(|server| server.name == offer.server)?;
    let query = server.jmespath_queries.iter().find(|query| query.tool_name == offer.tool)?;
    query.jmespath_query.as_deref().filter(|query| !query.trim().is_empty())
}
