//! `EnterIdleState`: rests until the person writes, with a word or without one. The reply goes on in the same node.

use super::{object, text_of};
use crate::{state::InterruptKind, turn::Turn};
use domain::chat::{ToolCall, ToolSpec};
use serde_json::{Map, Value, json};

pub(crate) const NAME: &str = domain::tool_names::ENTER_IDLE_STATE;

pub(crate) fn spec() -> ToolSpec {
    let message = json!({"type": ["string", "null"], "description": "Said before resting; may be left out"});
    ToolSpec {
        name: NAME.into(),
        description: "Rests until the person writes, when there is nothing left to do or to ask.".into(),
        parameters: object(json!({"message": message}), &[]),
    }
}

pub(crate) fn run(turn: &mut Turn<'_>, call: &ToolCall, arguments: &Map<String, Value>) {
    turn.say_and_rest(InterruptKind::Idle, call, &text_of(arguments, "message"));
}
