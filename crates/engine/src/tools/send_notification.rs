//! `send_notification_to_user`: sends a text and continues.

use super::{
    built_in::{BuiltIn, always, stays},
    schema::{object, words_of},
};
use crate::step_builder::StepBuilder;
use domain::{chat::ToolCall, message::Content, tool_names::SEND_NOTIFICATION};
use serde_json::{Map, Value, json};

pub(super) static TOOL: BuiltIn = BuiltIn {
    name: SEND_NOTIFICATION,
    description: "Sends a WhatsApp message to the person without waiting for a reply. Use it for a statement while you keep working.",
    parameters,
    offered: always,
    leads_out: stays,
    run,
};

fn parameters() -> Value {
    object(json!({"message": {"type": "string", "description": "What to say"}}), &["message"])
}

fn run(step: &mut StepBuilder<'_>, call: &ToolCall, arguments: &Map<String, Value>) {
    let message = words_of(step, arguments, "message");
    let message = message.and_then(|text| if text.is_empty() { Err("the message is empty") } else { Ok(text) });
    match message {
        Ok(message) => step.send_and_continue(call, Content::Text(message)),
        Err(error) => step.answer_first_call(call, json!({"error": error, "code": "invalid_arguments"})),
    }
}
