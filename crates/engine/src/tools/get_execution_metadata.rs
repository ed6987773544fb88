//! `get_execution_metadata`: ids of the execution and the contact context.

use super::{
    built_in::{BuiltIn, always, stays},
    schema::object,
};
use crate::step_builder::StepBuilder;
use domain::{chat::ToolCall, tool_names::GET_EXECUTION_METADATA};
use serde_json::{Map, Value, json};

pub(super) static TOOL: BuiltIn = BuiltIn {
    name: GET_EXECUTION_METADATA,
    description: "Gives the ids of this run and what is known of the person.",
    parameters,
    offered: always,
    leads_out: stays,
    run,
};

fn parameters() -> Value {
    object(json!({}), &[])
}

fn run(step: &mut StepBuilder<'_>, call: &ToolCall, _: &Map<String, Value>) {
    let facts = &step.state.facts;
    let about = step.state.about();
    let mut contact = json!({"phone_number": facts.phone_number, "profile_name": step.state.profile_name()});
    if !about.metadata.is_empty() {
        contact["metadata"] = json!(about.metadata);
    }
    if !about.notes.is_empty() {
        contact["notes"] = json!(about.notes);
    }
    let result = json!({
        "agent_id": facts.agent_id,
        "agent_execution_id": facts.execution_id,
        "contact_information": contact,
        "whatsapp_conversation_id": facts.conversation_id,
    });
    step.answer_first_call(call, result);
}
