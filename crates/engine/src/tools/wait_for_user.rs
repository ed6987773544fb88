//! `WaitForUser`: waits until the contact writes.

use super::{
    built_in::{BuiltIn, leads_out},
    schema::object,
};
use crate::{agent::AgentVersion, state::InterruptKind, step_builder::StepBuilder};
use domain::{chat::ToolCall, tool_names::WAIT_FOR_USER};
use serde_json::{Map, Value, json};

pub(super) static TOOL: BuiltIn = BuiltIn {
    name: WAIT_FOR_USER,
    description: "Waits for the person's next message without saying anything.",
    parameters,
    offered: |context| context.version == AgentVersion::V2,
    leads_out,
    run,
};

fn parameters() -> Value {
    object(json!({}), &[])
}

fn run(step: &mut StepBuilder<'_>, call: &ToolCall, _: &Map<String, Value>) {
    step.start_wait(InterruptKind::Wait, Some(call.clone()), None);
}
