//! `send_notification_to_user`: says something and goes on.

use super::{object, text_of};
use crate::{limits, turn::Turn};
use domain::{
    chat::{ToolCall, ToolSpec},
    message::Content,
};
use serde_json::{Map, Value, json};

pub(crate) const NAME: &str = domain::tool_names::SEND_NOTIFICATION;

pub(crate) fn spec() -> ToolSpec {
    ToolSpec {
        name: NAME.into(),
        description: "Sends a WhatsApp message to the person without waiting for a reply. Use it for a statement while you keep working.".into(),
        parameters: object(json!({"message": {"type": "string", "description": "What to say"}}), &["message"]),
    }
}

pub(crate) fn run(turn: &mut Turn<'_>, call: &ToolCall, arguments: &Map<String, Value>) {
    let message = text_of(arguments, "message");
    if message.is_empty() {
        return turn.answer_first_call(call, json!({"error": "the message is empty", "code": "invalid_arguments"}));
    }
    turn.say_and_go_on(call, Content::Text(message));
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
