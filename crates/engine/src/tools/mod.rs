//! Tools: one file each. A new built-in tool is a name in `domain::tool_names`, a file here with its `TOOL`, and an
//! entry in one of the tables below.

mod abort;
mod arguments;
mod ask_user_for_input;
mod built_in;
mod enter_idle_state;
mod get_execution_metadata;
pub(crate) mod kb_retrieval;
pub(crate) mod mcp;
mod media;
mod move_to_next_node;
mod repeated;
pub(crate) mod schema;
mod send_notification;
mod send_template;
mod wait_for_user;
pub(crate) mod webhook;
mod webhook_request;

use self::{
    arguments::Checked,
    built_in::{BuiltIn, OfferContext},
};
use crate::{
    agent::{AgentVersion, Compiled, CompiledNode},
    nodes::Behaviour,
    state::State,
    step_builder::StepBuilder,
};
use domain::{
    agent::{Node, Webhook},
    chat::{ToolCall, ToolSpec},
    tool_names::{ABORT, WEBHOOK_REQUEST},
};
use serde_json::json;

/// Offered before the node's webhooks. The order is part of a request's bytes.
static OF_EVERY_NODE: [&BuiltIn; 7] = [
    &send_notification::TOOL,
    &media::TOOL,
    &ask_user_for_input::TOOL,
    &move_to_next_node::TOOL,
    &wait_for_user::TOOL,
    &enter_idle_state::TOOL,
    &get_execution_metadata::TOOL,
];

/// Offered after the node's webhooks.
static OF_SOME_NODES: [&BuiltIn; 3] = [&webhook_request::TOOL, &kb_retrieval::TOOL, &send_template::TOOL];

fn built_in(name: &str) -> Option<&'static BuiltIn> {
    OF_EVERY_NODE.into_iter().chain(OF_SOME_NODES).find(|tool| tool.name == name)
}

pub(crate) fn of_node(
    node: &Node,
    behaviour: &Behaviour,
    version: AgentVersion,
    webhooks: &[(String, Webhook)],
    enabled: &[String],
) -> Vec<ToolSpec> {
    if behaviour.hands_off || node.is_terminal() {
        return Vec::new();
    }
    let context = OfferContext { node, version, enabled };
    let offered = |tool: &&BuiltIn| (tool.offered)(&context).then(|| tool.spec());
    let mut tools: Vec<ToolSpec> = OF_EVERY_NODE.iter().filter_map(offered).collect();
    let of_webhook = |(name, settings): &(String, Webhook)| webhook::spec(name, settings, node.description.as_deref());
    tools.extend(webhooks.iter().map(of_webhook));
    tools.extend(OF_SOME_NODES.iter().filter_map(offered));
    tools
}

/// True for a call that ends the turn or the visit.
pub(crate) fn leads_out(node: &CompiledNode, call: &ToolCall) -> bool {
    call.name == ABORT || built_in(&call.name).is_some_and(|tool| (tool.leads_out)(node, call))
}

/// Does the slow part of a model's calls ahead of the step that runs them: checks of arguments, and
/// results of mocks. The step itself does what is missing. Built-in tools have nothing slow; without
/// a call of another tool this is `None`.
pub fn prepare_calls<'a>(agent: &'a Compiled, state: &'a State, calls: &'a [ToolCall]) -> Option<impl FnOnce() + 'a> {
    let node = agent.node(&state.visit.node)?;
    let offered = |call: &ToolCall| node.offered(state).find(|tool| tool.name == call.name);
    let slow: Vec<(&ToolCall, &ToolSpec)> = calls
        .iter()
        .filter(|call| built_in(&call.name).is_none())
        .filter_map(|call| Some((call, offered(call)?)))
        .collect();
    if slow.is_empty() {
        return None;
    }
    Some(move || {
        for (call, spec) in slow {
            node.mock_result(&call.name);
            let _ = arguments::check(spec, &call.arguments, state.facts.rules);
        }
    })
}

/// Runs a call up to its result, or until the execution waits, moves to another node or needs an effect.
pub(crate) fn run(step: &mut StepBuilder<'_>, call: &ToolCall) {
    if !std::mem::take(&mut step.waited) {
        step.event("tool.called", json!({"name": call.name, "call_id": call.id, "args": call.arguments}));
    }
    let Some(node) = step.agent.node(&step.state.visit.node) else {
        return step.fail("graph_invalid", "the node is not in the graph any more");
    };
    if call.name == ABORT {
        return abort::run(step, call);
    }
    let offer = step.state.offers().iter().find(|offer| offer.spec.name == call.name).cloned();
    let own = node.tools.iter().find(|tool| tool.name == call.name);
    let Some(spec) = own.or(offer.as_ref().map(|offer| &offer.spec)) else {
        // The engine's own wait for a text of version 2 is offered there; anything else is unknown.
        let available: Vec<&str> = node.offered(step.state).map(|tool| tool.name.as_str()).collect();
        let result = json!({"error": "unknown_tool", "code": "unknown_tool", "available_tools": available});
        return step.answer_first_call(call, result);
    };
    let arguments = match arguments::check(spec, &call.arguments, step.state.facts.rules) {
        Ok(Checked { arguments, unchecked }) => {
            if let Some(why) = unchecked {
                let data = json!({"code": "unchecked_arguments", "tool": call.name, "message": why});
                step.event("warning", data);
            }
            arguments
        }
        Err(details) => {
            let result = json!({"error": "invalid_arguments", "code": "invalid_arguments", "details": details});
            return step.answer_first_call(call, result);
        }
    };
    let requests = built_in(&call.name).is_none() || call.name == WEBHOOK_REQUEST;
    if requests && step.answer_repeated(call, &arguments) {
        return;
    }
    match (built_in(&call.name), &offer) {
        (Some(tool), _) => (tool.run)(step, call, &arguments),
        (None, Some(offer)) if own.is_none() => mcp::run(step, call, offer, arguments),
        (None, _) => webhook::run(step, call, arguments),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{schema, tool_names::RESERVED_TOOLS};

    #[test]
    fn every_built_in_tool_has_a_reserved_name_and_a_schema_that_compiles() {
        for tool in OF_EVERY_NODE.into_iter().chain(OF_SOME_NODES) {
            assert!(RESERVED_TOOLS.contains(&tool.name), "{} may be given to a configured tool", tool.name);
            assert!(schema::compiled(&(tool.parameters)()).is_ok(), "{}", tool.name);
        }
    }
}
