//! Read receipts and typing indicators of the business.

use serde_json::{Value, json};

use super::errors::GraphError;
use crate::{
    chats::TYPING_DURATION,
    messages::{Direction, StatusEntry, StatusKind},
    state::State,
};

/// Marks a contact's message and the earlier ones as read, and shows typing if requested.
pub(crate) fn mark_read(state: &mut State, number: &str, body: &Value) -> Result<Value, GraphError> {
    if body["status"] != "read" {
        return Err(GraphError::with(100, "Param status must be read."));
    }
    let Some(id) = body["message_id"].as_str() else {
        return Err(GraphError::with(131_008, "The parameter message_id is required."));
    };
    let message = state.chats.message(id);
    let message = message.filter(|m| m.direction == Direction::In && m.number == number);
    let Some(user) = message.map(|message| message.user.clone()) else {
        return Err(GraphError::with(131_009, "Param message_id is not a message to this number."));
    };
    let shows_typing = match body.get("typing_indicator") {
        None => false,
        Some(node) if node["type"] == "text" => true,
        Some(_) => return Err(GraphError::with(100, "Param typing_indicator['type'] must be text.")),
    };
    let at = state.clock.now();
    for id in state.chats.up_to(id) {
        let Some(message) = state.chats.message_mut(&id) else { continue };
        if message.has(StatusKind::Read) {
            continue;
        }
        let status = StatusEntry { status: StatusKind::Read, at, error: None };
        state.feed.status(number, &user, &id, &status.to_json());
        message.statuses.push(status);
    }
    if shows_typing {
        state.start_typing(number, &user, at + TYPING_DURATION);
    }
    Ok(json!({"success": true}))
}
