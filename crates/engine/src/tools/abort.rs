//! `Abort`: ends the conversation. It is offered to no model, but a call of it is understood.

use super::schema::text_of;
use crate::turn::Turn;
use domain::chat::ToolCall;
use serde_json::{Map, Value};

pub(super) fn run(turn: &mut Turn<'_>, call: &ToolCall) {
    if !turn.texts_delivered(Some(call)) {
        return;
    }
    let empty = Map::new();
    let reason = text_of(call.arguments.as_object().unwrap_or(&empty), "reason");
    turn.answer_first_call(call, Value::String(format!("Conversation aborted: {reason}")));
    turn.skip_calls("skipped: routed away");
    turn.end("aborted");
}
