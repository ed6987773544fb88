//! `EnterIdleState`: waits until the contact writes, with or without a message before. The reply is
//! handled in the same node.

use super::{
    built_in::{BuiltIn, leads_out},
    schema::{object, words_of},
};
use crate::{agent::AgentVersion, state::InterruptKind, step_builder::StepBuilder};
use domain::{chat::ToolCall, tool_names::ENTER_IDLE_STATE};
use serde_json::{Map, Value, json};

pub(super) static TOOL: BuiltIn = BuiltIn {
    name: ENTER_IDLE_STATE,
    description: "Rests until the person writes, when there is nothing left to do or to ask.",
    parameters,
    offered: |context| context.version == AgentVersion::V1,
    leads_out,
    run,
};

fn parameters() -> Value {
    let message = json!({"type": ["string", "null"], "description": "Said before resting; may be left out"});
    object(json!({"message": message}), &[])
}

fn run(step: &mut StepBuilder<'_>, call: &ToolCall, arguments: &Map<String, Value>) {
    match words_of(step, arguments, "message") {
        Ok(message) => step.send_text_and_wait(InterruptKind::Idle, call, &message),
        Err(error) => step.answer_first_call(call, json!({"error": error, "code": "invalid_arguments"})),
    }
}
