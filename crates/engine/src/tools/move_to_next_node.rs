//! `MoveToNextNode`: the only way from one node to another.
//!
//! The model judges the condition of an edge; the engine checks that the visit offers the target.

use super::{
    built_in::{BuiltIn, always, leads_out},
    schema::object,
};
use crate::{answer, step_builder::StepBuilder};
use domain::{agent::END, chat::ToolCall, tool_names::MOVE_TO_NEXT_NODE};
use serde_json::{Map, Value, json};

pub(super) static TOOL: BuiltIn = BuiltIn {
    name: MOVE_TO_NEXT_NODE,
    description: "Moves to one of the next steps listed in the current step. The last call of an answer.",
    parameters,
    offered: always,
    leads_out,
    run,
};

fn parameters() -> Value {
    let properties = json!({
        "next_node": {"type": "string", "description": "The name of one of this step's next steps"},
        "reason": {"type": "string", "description": "Why, in a few words"},
    });
    object(properties, &["next_node", "reason"])
}

fn run(step: &mut StepBuilder<'_>, call: &ToolCall, arguments: &Map<String, Value>) {
    let text = |name: &str| arguments.get(name).and_then(Value::as_str).unwrap_or_default().trim().to_owned();
    let (wanted, reason) = (text("next_node"), text("reason"));
    let end_alias = matches!(wanted.as_str(), "end" | "END");
    let targets = step.targets();
    let found = targets
        .iter()
        .find(|target| target.name == wanted || target.node == wanted || (end_alias && target.node == END));
    let Some(target) = found.cloned() else {
        step.state.turn.bad_moves += 1;
        let available: Vec<&String> = targets.iter().map(|target| &target.name).collect();
        let result = json!({"next_node": "NOT_FOUND", "reason": reason, "available_nodes": available});
        return step.answer_first_call(call, result);
    };
    step.state.turn.bad_moves = 0;
    let handoff = step.agent.is_handoff(&target.node);
    if target.node == END {
        if !step.texts_delivered(Some(call)) {
            return;
        }
        if !step.state.inputs.queued.is_empty() {
            // After the end no one would answer a message that arrived meanwhile.
            let result = json!({"error": "the person has written meanwhile; read it first", "code": "new_message"});
            return step.answer_first_call(call, result);
        }
    }
    if handoff {
        if !step.all_sends_settled() {
            return;
        }
        // The person sees failed sends in the inbox; they must not prevent the handoff.
        step.state.failed_sends.clear();
    }
    step.answer_first_call(call, json!({"next_node": target.node, "reason": reason}));
    // A route is the last call: later ones belonged to the node that was left.
    step.skip_calls("skipped: routed away");
    if target.node == END {
        return step.end("reached_end");
    }
    if handoff {
        step.state.handoff.return_to =
            Some(step.state.visit.triggering_node.clone().unwrap_or_else(|| step.state.visit.node.clone()));
        // Colleagues read it in the inbox.
        let words = if step.state.facts.rules >= 2 { answer::separate(&reason).said } else { reason.clone() };
        step.state.handoff.reason = Some(words);
    }
    let origin = target.global.then(|| step.state.visit.node.clone());
    step.enter(&target.node, origin, "MoveToNextNode");
}
