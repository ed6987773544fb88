//! `WaitForUser`: waits until the contact writes.

use super::{
    built_in::{BuiltIn, leads_out},
    schema::object,
};
use crate::{agent::AgentVersion, state::InterruptKind, turn::Turn};
use domain::{chat::ToolCall, tool_names::WAIT_FOR_USER};
use serde_json::{Map, Value, json};

pub(super) static TOOL: BuiltIn = BuiltIn {
    name: WAIT_FOR_USER,
    description: "Waits for the person's next message without saying anything.",
    parameters,
    offered: |place| place.version == AgentVersion::V2,
    leads_out,
    run,
};

fn parameters() -> Value {
    object(json!({}), &[])
}

fn run(turn: &mut Turn<'_>, call: &ToolCall, _: &Map<String, Value>) {
    turn.rest(InterruptKind::Wait, Some(call.clone()), None);
}
