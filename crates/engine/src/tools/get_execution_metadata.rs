//! `get_execution_metadata`: tells the model whom it talks to.

use super::object;
use crate::turn::Turn;
use domain::chat::{ToolCall, ToolSpec};
use serde_json::json;

pub(crate) const NAME: &str = domain::tool_names::GET_EXECUTION_METADATA;

pub(crate) fn spec() -> ToolSpec {
    ToolSpec {
        name: NAME.into(),
        description: "Gives the ids of this run and what is known of the person.".into(),
        parameters: object(json!({}), &[]),
    }
}

pub(crate) fn run(turn: &mut Turn<'_>, call: &ToolCall) {
    let facts = &turn.state.facts;
    let about = turn.state.about();
    let mut contact = json!({"phone_number": facts.phone_number, "profile_name": turn.state.profile_name()});
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
    turn.answer_first_call(call, result);
}
