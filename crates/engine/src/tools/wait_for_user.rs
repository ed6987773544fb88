//! `WaitForUser`: rests until the person writes.

use super::object;
use crate::{state::InterruptKind, turn::Turn};
use domain::chat::{ToolCall, ToolSpec};
use serde_json::json;

pub(crate) const NAME: &str = domain::tool_names::WAIT_FOR_USER;

pub(crate) fn spec() -> ToolSpec {
    ToolSpec {
        name: NAME.into(),
        description: "Waits for the person's next message without saying anything.".into(),
        parameters: object(json!({}), &[]),
    }
}

pub(crate) fn run(turn: &mut Turn<'_>, call: &ToolCall) {
    turn.rest(InterruptKind::Wait, Some(call.clone()), None);
}
