//! `AskUserForInput`: asks and rests until the person answers.

use super::{object, text_of};
use crate::{state::InterruptKind, turn::Turn};
use domain::chat::{ToolCall, ToolSpec};
use serde_json::{Map, Value, json};

pub(crate) const NAME: &str = domain::tool_names::ASK_USER_FOR_INPUT;

pub(crate) fn spec() -> ToolSpec {
    let message = json!({"type": "string", "description": "The question, as the person will read it"});
    ToolSpec {
        name: NAME.into(),
        description: "Sends a WhatsApp message to the person and waits for the reply, which is the result.".into(),
        parameters: object(json!({"message": message}), &["message"]),
    }
}

pub(crate) fn run(turn: &mut Turn<'_>, call: &ToolCall, arguments: &Map<String, Value>) {
    turn.say_and_rest(InterruptKind::Ask, call, &text_of(arguments, "message"));
}
