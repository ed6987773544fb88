//! `AskUserForInput`: sends a question and waits for the reply.

use super::{
    built_in::{BuiltIn, leads_out},
    schema::{object, words_of},
};
use crate::{agent::AgentVersion, state::InterruptKind, step_builder::StepBuilder};
use domain::{chat::ToolCall, tool_names::ASK_USER_FOR_INPUT};
use serde_json::{Map, Value, json};

pub(super) static TOOL: BuiltIn = BuiltIn {
    name: ASK_USER_FOR_INPUT,
    description: "Sends a WhatsApp message to the person and waits for the reply, which is the result.",
    parameters,
    offered: |context| context.version == AgentVersion::V1,
    leads_out,
    run,
};

fn parameters() -> Value {
    let message = json!({"type": "string", "description": "The question, as the person will read it"});
    object(json!({"message": message}), &["message"])
}

fn run(step: &mut StepBuilder<'_>, call: &ToolCall, arguments: &Map<String, Value>) {
    match words_of(step, arguments, "message") {
        Ok(message) => step.send_text_and_wait(InterruptKind::Ask, call, &message),
        Err(error) => step.answer_first_call(call, json!({"error": error, "code": "invalid_arguments"})),
    }
}
