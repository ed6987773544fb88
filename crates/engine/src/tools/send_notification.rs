//! `send_notification_to_user`: says something and goes on.

use super::object;
use crate::{limits, state::Pending, turn::Turn};
use domain::chat::{ToolCall, ToolSpec};
use serde_json::{Map, Value, json};

pub(crate) const NAME: &str = "send_notification_to_user";

pub(crate) fn spec() -> ToolSpec {
    ToolSpec {
        name: NAME.into(),
        description: "Sends a WhatsApp message to the person without waiting for a reply. Use it for a statement while you keep working.".into(),
        parameters: object(json!({"message": {"type": "string", "description": "What to say"}}), &["message"]),
    }
}

pub(crate) fn run(turn: &mut Turn<'_>, call: &ToolCall, arguments: &Map<String, Value>) {
    let message = arguments.get("message").and_then(Value::as_str).unwrap_or_default();
    if message.trim().is_empty() {
        return turn.answer_first_call(call, json!({"error": "the message is empty", "code": "invalid_arguments"}));
    }
    if turn.state.turn.sends >= limits::SENDS {
        let result = json!({"error": "too many messages in one turn; ask or rest now", "code": "send_limit"});
        return turn.answer_first_call(call, result);
    }
    turn.state.turn.sends += 1;
    turn.say(message, Some(call));
    turn.state.pending = Some(Pending::SendsOf { call: call.clone() });
}

/// What the model is told once every piece is settled.
pub(crate) fn result(turn: &mut Turn<'_>, call: &ToolCall) -> Value {
    let mine = |failed: &crate::state::FailedSend| failed.call_id.as_deref() == Some(&call.id);
    let failed = turn.state.failed_sends.iter().find(|failed| mine(failed)).cloned();
    turn.state.failed_sends.retain(|failed| !mine(failed));
    failed.map_or_else(|| json!({"status": "sent"}), |failed| json!({"error": failed.message, "code": failed.code}))
}

/// Cuts a text into pieces that WhatsApp takes, at the ends of paragraphs, else lines, else words.
pub(crate) fn pieces(text: &str) -> Vec<String> {
    let mut rest = text.trim();
    let mut pieces = Vec::new();
    while pieces.len() < limits::PIECES
        && let Some((limit, _)) = rest.char_indices().nth(limits::TEXT)
    {
        let head = &rest[..limit];
        let cut = ["\n\n", "\n", " "].iter().find_map(|end| head.rfind(end)).filter(|cut| *cut > 0).unwrap_or(limit);
        pieces.push(rest[..cut].trim_end().to_owned());
        rest = rest[cut..].trim_start();
    }
    if !rest.is_empty() && pieces.len() < limits::PIECES {
        pieces.push(rest.to_owned());
    }
    pieces
}
