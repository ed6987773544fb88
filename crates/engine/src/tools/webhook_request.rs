//! `webhook_request`: a request that the model writes itself, to the host of the node's webhook
//! only. Off unless the agent enables it (docs/spec/engine.md 3.4).

use super::{
    built_in::{BuiltIn, stays},
    schema::{object, text_of},
    webhook,
};
use crate::step_builder::StepBuilder;
use domain::{
    agent::HttpMethod,
    chat::ToolCall,
    tool_names::WEBHOOK_REQUEST,
    tool_request::{SecretMarks, ToolRequest},
};
use serde_json::{Map, Value, json};

pub(super) static TOOL: BuiltIn = BuiltIn {
    name: WEBHOOK_REQUEST,
    description: "Makes an HTTP request to the server of this step's webhook.",
    parameters,
    offered: |context| {
        context.node.kind.node_type().named_tool && context.enabled.iter().any(|name| name == WEBHOOK_REQUEST)
    },
    leads_out: stays,
    run,
};

fn parameters() -> Value {
    let properties = json!({
        "url": {"type": "string"},
        "method": {"type": "string", "description": "GET, POST, PUT, PATCH or DELETE"},
        "headers": {"type": "object"},
        "body": {"type": "object"},
    });
    object(properties, &["url", "method"])
}

fn run(step: &mut StepBuilder<'_>, call: &ToolCall, arguments: &Map<String, Value>) {
    let url = text_of(arguments, "url");
    let node = step.agent.node(&step.state.visit.node);
    let own = node.and_then(|node| node.node.kind.tools().webhooks.first()).map(|webhook| webhook.url.clone());
    // An origin with variables never matches: the builder did not fix a host.
    let origin = webhook::origin;
    if own.is_none_or(|own| !origin(&own).eq_ignore_ascii_case(origin(&url)) || origin(&own).contains(['{', '@'])) {
        let error = "only the server of this step's webhook may be called";
        return step.answer_first_call(call, json!({"error": error, "code": "blocked_address"}));
    }
    let Some(method) = HttpMethod::parse(&text_of(arguments, "method")) else {
        let error = "method must be GET, POST, PUT, PATCH or DELETE";
        return step.answer_first_call(call, json!({"error": error, "code": "invalid_arguments"}));
    };
    let body = arguments.get("body").filter(|body| **body != json!({})).cloned();
    if method == HttpMethod::Get && body.is_some() && step.state.facts.rules >= 1 {
        let error = "a GET request has no body; put the values into the query of the URL";
        return step.answer_first_call(call, json!({"error": error, "code": "invalid_arguments"}));
    }
    let headers = arguments.get("headers").and_then(Value::as_object).into_iter().flatten();
    let clean = |text: &str| text.chars().filter(|c| !c.is_control()).collect::<String>();
    let request = ToolRequest {
        method: method.as_str().into(),
        url,
        headers: headers.filter_map(|(name, value)| Some((clean(name), clean(value.as_str()?)))).collect(),
        body,
        idempotency_key: String::new(),
        mcp: None,
    };
    step.request(call, request, SecretMarks::default());
}
