//! `webhook_request`: a request that the model writes itself, to the host of the node's webhook and nowhere else. Off unless the
//! agent enables it (engine.md 3.4).

use super::{object, text_of, webhook_request};
use crate::turn::Turn;
use domain::{
    agent::{HttpMethod, NodeKind},
    chat::{ToolCall, ToolSpec},
    tool_request::{SecretMarks, ToolRequest},
};
use serde_json::{Map, Value, json};

pub(crate) const NAME: &str = domain::tool_names::WEBHOOK_ANYWHERE;

pub(crate) fn spec() -> ToolSpec {
    let properties = json!({
        "url": {"type": "string"},
        "method": {"type": "string", "description": "GET, POST, PUT, PATCH or DELETE"},
        "headers": {"type": "object"},
        "body": {"type": "object"},
    });
    ToolSpec {
        name: NAME.into(),
        description: "Makes an HTTP request to the server of this step's webhook.".into(),
        parameters: object(properties, &["url", "method"]),
    }
}

pub(crate) fn run(turn: &mut Turn<'_>, call: &ToolCall, arguments: &Map<String, Value>) {
    let url = text_of(arguments, "url");
    let own = turn.agent.node(&turn.state.node).and_then(|node| match &node.node.kind {
        NodeKind::Webhook(settings) => Some(settings.url.clone()),
        _ => None,
    });
    // A template's own variables never match: then no host is known to be the builder's.
    let origin = webhook_request::origin;
    if own.is_none_or(|own| !origin(&own).eq_ignore_ascii_case(origin(&url)) || origin(&own).contains(['{', '@'])) {
        let error = "only the server of this step's webhook may be called";
        return turn.answer_first_call(call, json!({"error": error, "code": "blocked_address"}));
    }
    let Some(method) = HttpMethod::parse(&text_of(arguments, "method")) else {
        let error = "method must be GET, POST, PUT, PATCH or DELETE";
        return turn.answer_first_call(call, json!({"error": error, "code": "invalid_arguments"}));
    };
    let headers = arguments.get("headers").and_then(Value::as_object).into_iter().flatten();
    let clean = |text: &str| text.chars().filter(|c| !c.is_control()).collect::<String>();
    let request = ToolRequest {
        method: method.as_str().into(),
        url,
        headers: headers.filter_map(|(name, value)| Some((clean(name), clean(value.as_str()?)))).collect(),
        body: arguments.get("body").filter(|body| **body != json!({})).cloned(),
        idempotency_key: String::new(),
        mcp: None,
    };
    turn.request(call, request, SecretMarks::default());
}
