//! `Abort`: ends the conversation. It is offered to no model, but a call of it is understood.

use super::schema::text_of;
use crate::step_builder::StepBuilder;
use domain::chat::ToolCall;
use serde_json::{Map, Value};

pub(super) fn run(step: &mut StepBuilder<'_>, call: &ToolCall) {
    if !step.texts_delivered(Some(call)) {
        return;
    }
    let empty = Map::new();
    let reason = text_of(call.arguments.as_object().unwrap_or(&empty), "reason");
    step.answer_first_call(call, Value::String(format!("Conversation aborted: {reason}")));
    step.skip_calls("skipped: routed away");
    step.end("aborted");
}
