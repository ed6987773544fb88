//! Taps on a button, a list row, or a template's quick reply.

use serde_json::{Value, json};

use super::error::ControlError;
use crate::state::State;

/// Builds the reply to a tap on `choice` (an id, a payload or a title): message type and content.
pub(super) fn reply_to_tap(state: &State, message: &str, choice: &str) -> Result<(&'static str, Value), ControlError> {
    let message =
        state.chats.message(message).ok_or_else(|| ControlError::not_found("reply_to does not name a message"))?;
    let content = &message.content;
    let found = match message.kind.as_str() {
        "interactive" => interactive(content, choice),
        "template" => quick_reply(content, choice),
        _ => None,
    };
    found.ok_or_else(|| ControlError::bad_request("the message has no such button or row"))
}

/// Checks that the message has the choice of a reply that the caller wrote out.
pub(super) fn check_choice(state: &State, message: Option<&str>, kind: &str, node: &Value) -> Result<(), ControlError> {
    let reply = node["type"].as_str().map(|inner| &node[inner]);
    let choice = match (kind, reply) {
        ("interactive", Some(reply)) => reply["id"].as_str(),
        ("button", _) => node["payload"].as_str().or_else(|| node["text"].as_str()),
        _ => return Ok(()),
    };
    // Replies to flows, addresses and others have no choice to check.
    let Some(choice) = choice else { return Ok(()) };
    let message =
        message.ok_or_else(|| ControlError::bad_request("a tap needs reply_to; set force to skip this check"))?;
    reply_to_tap(state, message, choice).map(|_| ())
}

fn interactive(content: &Value, choice: &str) -> Option<(&'static str, Value)> {
    let is = |node: &Value| node["id"] == choice || node["title"] == choice;
    let buttons = content["action"]["buttons"].as_array().into_iter().flatten();
    if let Some(reply) = buttons.map(|button| &button["reply"]).find(|reply| is(reply)) {
        let reply = json!({"id": reply["id"], "title": reply["title"]});
        return Some(("interactive", json!({"type": "button_reply", "button_reply": reply})));
    }
    let sections = content["action"]["sections"].as_array().into_iter().flatten();
    let mut rows = sections.flat_map(|section| section["rows"].as_array().into_iter().flatten());
    let row = rows.find(|row| is(row))?;
    let mut reply = json!({"id": row["id"], "title": row["title"]});
    if let Some(description) = row.get("description") {
        reply["description"] = description.clone();
    }
    Some(("interactive", json!({"type": "list_reply", "list_reply": reply})))
}

fn quick_reply(content: &Value, choice: &str) -> Option<(&'static str, Value)> {
    let buttons = content["rendered"]["buttons"].as_array()?;
    let is =
        |button: &&Value| button["type"] == "QUICK_REPLY" && (button["payload"] == choice || button["text"] == choice);
    let button = buttons.iter().find(is)?;
    Some(("button", json!({"payload": button["payload"], "text": button["text"]})))
}
