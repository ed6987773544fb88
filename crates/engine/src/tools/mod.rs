//! Tools: one file each. A new built-in is a file here and a line in `base` and `run`.

mod abort;
pub(crate) mod arguments;
pub(crate) mod ask_user_for_input;
pub(crate) mod enter_idle_state;
mod get_execution_metadata;
pub(crate) mod kb_retrieval;
pub(crate) mod mcp;
mod media;
pub(crate) mod move_to_next_node;
pub(crate) mod send_notification;
mod send_template;
pub(crate) mod wait_for_user;
mod webhook_anywhere;
pub(crate) mod webhook_request;

use crate::{
    compile::{AgentVersion, CompiledNode},
    state::{FailedSend, State},
    turn::Turn,
};
use domain::{
    agent::{END, Node, NodeKind, START, Webhook},
    chat::{ToolCall, ToolSpec},
    message::Content,
};
use serde_json::{Value, json};

/// The tools of every node in which the model is asked, in the order in which they are offered (engine.md 3.1).
fn base(version: AgentVersion) -> Vec<ToolSpec> {
    match version {
        AgentVersion::V1 => vec![
            send_notification::spec(),
            media::spec(),
            ask_user_for_input::spec(),
            move_to_next_node::spec(),
            enter_idle_state::spec(),
            get_execution_metadata::spec(),
        ],
        AgentVersion::V2 => vec![
            send_notification::spec(),
            media::spec(),
            move_to_next_node::spec(),
            wait_for_user::spec(),
            get_execution_metadata::spec(),
        ],
    }
}

/// What a node offers to the model. The order is fixed: it is part of the request's bytes.
pub(crate) fn of_node(
    node: &Node,
    version: AgentVersion,
    webhooks: &[(String, Webhook)],
    enabled: &[String],
) -> Vec<ToolSpec> {
    if matches!(node.kind, NodeKind::Handoff) || node.name == START || node.name == END {
        return Vec::new();
    }
    let mut tools = base(version);
    for (name, settings) in webhooks {
        tools.push(webhook_request::spec(name, settings, node.description.as_deref()));
    }
    let anywhere =
        matches!(node.kind, NodeKind::Webhook(_)) && enabled.iter().any(|name| name == webhook_anywhere::NAME);
    if anywhere {
        tools.push(webhook_anywhere::spec());
    }
    let knowledge = match &node.kind {
        NodeKind::KnowledgeBase(_) => true,
        NodeKind::Subagent(subagent) => !subagent.knowledge_bases.is_empty(),
        _ => false,
    };
    if knowledge {
        tools.push(kb_retrieval::spec());
    }
    let templates = match &node.kind {
        NodeKind::WhatsappTemplate(_) => true,
        NodeKind::Subagent(subagent) => !subagent.whatsapp_templates.is_empty(),
        _ => false,
    };
    if templates {
        tools.push(send_template::spec());
    }
    tools
}

/// Everything that the model is offered in the node being visited.
pub(crate) fn offered<'a>(node: &'a CompiledNode, state: &'a State) -> impl Iterator<Item = &'a ToolSpec> {
    node.tools.iter().chain(state.offers().iter().map(|offer| &offer.spec))
}

/// Whether the call ends the turn or the visit: what the person has seen before must not be lost to a limit.
pub(crate) fn leads_out(node: &CompiledNode, call: &ToolCall) -> bool {
    match call.name.as_str() {
        ask_user_for_input::NAME | enter_idle_state::NAME | wait_for_user::NAME => true,
        move_to_next_node::NAME | abort::NAME => true,
        send_template::NAME => send_template::rests(node, call),
        _ => false,
    }
}

/// Runs a call as far as it goes without the world: it is answered, or rests, routes or waits for an effect.
pub(crate) fn run(turn: &mut Turn<'_>, call: &ToolCall) {
    if !std::mem::take(&mut turn.waited) {
        turn.event("tool.called", json!({"name": call.name, "call_id": call.id, "args": call.arguments}));
    }
    let Some(node) = turn.agent.node(&turn.state.node) else {
        return turn.fail("graph_invalid", "the node is not in the graph any more");
    };
    if call.name == abort::NAME {
        return abort::run(turn, call);
    }
    let offer = turn.state.offers().iter().find(|offer| offer.spec.name == call.name).cloned();
    let built_in = node.tools.iter().find(|tool| tool.name == call.name);
    let Some(spec) = built_in.or(offer.as_ref().map(|offer| &offer.spec)) else {
        // A wait that the engine wrote itself, for a text of version 2, is offered there; anything else is unknown.
        let available: Vec<&str> = offered(node, turn.state).map(|tool| tool.name.as_str()).collect();
        let result = json!({"error": "unknown_tool", "code": "unknown_tool", "available_tools": available});
        return turn.answer_first_call(call, result);
    };
    let made = offer.as_ref().filter(|_| built_in.is_none()).and_then(crate::mcp::validator);
    let arguments = match arguments::check(node.validator(&spec.name).or(made.as_ref()), spec, &call.arguments) {
        Ok(arguments) => arguments,
        Err(details) => {
            let result = json!({"error": "invalid_arguments", "code": "invalid_arguments", "details": details});
            return turn.answer_first_call(call, result);
        }
    };
    match call.name.as_str() {
        send_notification::NAME => send_notification::run(turn, call, &arguments),
        media::NAME => media::run(turn, call, &arguments),
        ask_user_for_input::NAME => ask_user_for_input::run(turn, call, &arguments),
        enter_idle_state::NAME => enter_idle_state::run(turn, call, &arguments),
        move_to_next_node::NAME => move_to_next_node::run(turn, call, &arguments),
        wait_for_user::NAME => wait_for_user::run(turn, call),
        get_execution_metadata::NAME => get_execution_metadata::run(turn, call),
        kb_retrieval::NAME => kb_retrieval::run(turn, call, &arguments),
        send_template::NAME => send_template::run(turn, call, &arguments),
        webhook_anywhere::NAME => webhook_anywhere::run(turn, call, &arguments),
        _ => match &offer {
            Some(offer) if built_in.is_none() => mcp::run(turn, call, offer, arguments),
            _ => webhook_request::run(turn, call, arguments),
        },
    }
}

/// What the model is told of a call that said something, once all of it is settled.
pub(crate) fn sent(
    call: &ToolCall,
    content: Option<&Content>,
    message_id: Option<&str>,
    failed: Option<FailedSend>,
) -> Value {
    match failed {
        Some(failed) => json!({"error": failed.message, "code": failed.code}),
        None if call.name == send_template::NAME => send_template::sent(content),
        None => match message_id {
            Some(id) => json!({"status": "sent", "message_id": id}),
            None => json!({"status": "sent"}),
        },
    }
}

/// What the model is told in a test, where nothing is sent.
pub(crate) fn not_sent(content: &Content) -> Value {
    match content {
        Content::Text(text) => Value::String(format!("Message sent: {text}")),
        Content::Media(media) => media::in_words(media),
        Content::Template(template) => Value::String(format!("Template {} not sent: this is a test", template.name)),
    }
}

/// The text argument of this name, trimmed; empty where there is none.
fn text_of(arguments: &serde_json::Map<String, Value>, name: &str) -> String {
    arguments.get(name).and_then(Value::as_str).unwrap_or_default().trim().to_owned()
}

/// A schema of an object without other properties.
pub(crate) fn object(properties: Value, required: &[&str]) -> Value {
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}
