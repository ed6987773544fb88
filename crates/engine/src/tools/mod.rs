//! Tools: one file each. A new built-in is a file here and a line in `BUILT_IN` and `run`.

pub(crate) mod arguments;
mod get_execution_metadata;
pub(crate) mod move_to_next_node;
pub(crate) mod send_notification;
pub(crate) mod wait_for_user;
pub(crate) mod webhook_request;

use crate::turn::Turn;
use domain::{
    agent::{END, Node, NodeKind, START, Webhook},
    chat::{ToolCall, ToolSpec},
};
use serde_json::{Value, json};

/// The tools of every node in which the model is asked, in the order in which they are offered.
const BUILT_IN: [fn() -> ToolSpec; 4] =
    [send_notification::spec, move_to_next_node::spec, wait_for_user::spec, get_execution_metadata::spec];

/// What a node offers to the model. The order is fixed: it is part of the request's bytes.
pub(crate) fn of_node(node: &Node, webhooks: &[(String, Webhook)]) -> Vec<ToolSpec> {
    if matches!(node.kind, NodeKind::Handoff) || node.name == START || node.name == END {
        return Vec::new();
    }
    let own =
        webhooks.iter().map(|(name, settings)| webhook_request::spec(name, settings, node.description.as_deref()));
    BUILT_IN.iter().map(|spec| spec()).chain(own).collect()
}

/// Runs a call as far as it goes without the world: it is answered, or rests, routes or waits for an effect.
pub(crate) fn run(turn: &mut Turn<'_>, call: &ToolCall) {
    if !std::mem::take(&mut turn.waited) {
        turn.event("tool.called", json!({"name": call.name, "call_id": call.id, "args": call.arguments}));
    }
    let Some(node) = turn.agent.node(&turn.state.node) else {
        return turn.fail("graph_invalid", "the node is not in the graph any more");
    };
    let Some(spec) = node.tools.iter().find(|tool| tool.name == call.name) else {
        let available: Vec<&str> = node.tools.iter().map(|tool| tool.name.as_str()).collect();
        let result = json!({"error": "unknown_tool", "code": "unknown_tool", "available_tools": available});
        return turn.answer_first_call(call, result);
    };
    let arguments = match arguments::check(node, spec, &call.arguments) {
        Ok(arguments) => arguments,
        Err(details) => {
            let result = json!({"error": "invalid_arguments", "code": "invalid_arguments", "details": details});
            return turn.answer_first_call(call, result);
        }
    };
    match call.name.as_str() {
        send_notification::NAME => send_notification::run(turn, call, &arguments),
        move_to_next_node::NAME => move_to_next_node::run(turn, call, &arguments),
        wait_for_user::NAME => wait_for_user::run(turn, call),
        get_execution_metadata::NAME => get_execution_metadata::run(turn, call),
        _ => webhook_request::run(turn, call, arguments),
    }
}

/// A schema of an object without other properties.
fn object(properties: Value, required: &[&str]) -> Value {
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}
