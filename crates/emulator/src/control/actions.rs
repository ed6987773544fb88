//! Actions of a contact other than writing: react, delete, edit, change number.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State as Shared},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    error::ControlError,
    inbound::{Inbound, accept_inbound},
    input::Input,
};
use crate::{
    clock::Millis,
    driver::Driver,
    messages::{DELETED, Direction},
    users::{self, User},
};

/// Age up to which a contact can change a message (developers.facebook.com, WhatsApp Business
/// Platform, webhooks reference, "Edit messages").
pub(super) const EDITABLE: Millis = 15 * 60_000;
/// Age up to which a contact can delete a message for all (the same reference, "Revoke messages").
pub(super) const DELETABLE: Millis = 2 * 24 * 3_600_000;

/// Arguments of an action on a message.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MessageAction {
    message_id: String,
    emoji: Option<String>,
    text: Option<String>,
}

/// Reacts to a message (no emoji removes the reaction), or deletes or edits the contact's own one.
pub(crate) async fn act(
    Shared(driver): Shared<Arc<Driver>>,
    Path((key, action)): Path<(String, String)>,
    Input(given): Input<MessageAction>,
) -> Result<Json<Value>, ControlError> {
    let (id, delivery) = driver.with(|state| {
        let message = state.chats.message(&given.message_id);
        let message = message.ok_or_else(|| ControlError::not_found("message not found"))?;
        let (number, own) = (message.number.clone(), message.direction == Direction::In);
        let age = state.clock.now().saturating_sub(message.at);
        let target = &given.message_id;
        let (kind, node) = match (action.as_str(), own) {
            ("react", _) => ("reaction", json!({"message_id": target, "emoji": given.emoji.unwrap_or_default()})),
            ("delete" | "edit", true) if message.kind == DELETED => {
                return Err(ControlError::bad_request("the message is deleted"));
            }
            ("delete", true) if age > DELETABLE => {
                return Err(ControlError::bad_request("messages can be deleted for two days"));
            }
            ("delete", true) => ("revoke", json!({"original_message_id": target})),
            ("edit", true) if age > EDITABLE => {
                return Err(ControlError::bad_request("messages can be edited for 15 minutes"));
            }
            ("edit", true) => {
                let text = given.text.ok_or_else(|| ControlError::bad_request("text is required"))?;
                let message = edited(&message.kind, &message.content, &text)?;
                ("edit", json!({"original_message_id": target, "message": message}))
            }
            ("delete" | "edit", false) => {
                return Err(ControlError::bad_request("contacts can only delete and edit their own messages"));
            }
            _ => return Err(ControlError::not_found("control call not found")),
        };
        accept_inbound(state, Inbound::generated(number, key, kind, node))
    })?;
    driver.settle().await;
    Ok(Json(json!({"message_id": id, "deliveries": [delivery]})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewNumber {
    wa_id: String,
    /// The new business-scoped user id: it changes with the number.
    user_id: Option<String>,
}

/// Changes a contact's number; a system message informs each number that the contact has a chat
/// with.
pub(crate) async fn change_number(
    Shared(driver): Shared<Arc<Driver>>,
    Path(key): Path<String>,
    Input(new): Input<NewNumber>,
) -> Result<Json<Value>, ControlError> {
    let wa_id = users::digits(&new.wa_id);
    let wa_id = wa_id.ok_or_else(|| ControlError::bad_request("wa_id is not a phone number"))?;
    let received = driver.with(|state| {
        let user = state.users.find(&key).cloned();
        let user = user.ok_or_else(|| ControlError::not_found("user not found"))?;
        let mut numbers = state.chats.numbers_of(&user.key);
        if numbers.is_empty() {
            numbers.extend(state.world.numbers.first().map(|number| number.id.clone()));
        }
        let old = user.wa_id.clone().unwrap_or_default();
        let body = format!("User {} changed from {old} to {wa_id}", user.name);
        let mut node = json!({"body": body, "wa_id": wa_id, "type": "user_changed_number"});
        if let Some(user_id) = &new.user_id {
            node["user_id"] = json!(user_id);
        }
        let notices =
            numbers.into_iter().map(|number| Inbound::generated(number, user.key.clone(), "system", node.clone()));
        let received = notices.map(|notice| accept_inbound(state, notice)).collect::<Result<Vec<_>, _>>()?;
        let user_id = new.user_id.clone().or(user.user_id.clone());
        state.users.put(User { wa_id: Some(wa_id.clone()), user_id, ..user });
        Ok(received)
    })?;
    driver.settle().await;
    let (ids, deliveries): (Vec<_>, Vec<_>) = received.into_iter().unzip();
    Ok(Json(json!({"message_id": ids.first(), "deliveries": deliveries})))
}

/// A text with another body, or a file with another caption, as the webhook of an edit has it.
pub(super) fn edited(kind: &str, content: &Value, text: &str) -> Result<Value, ControlError> {
    match kind {
        "text" => Ok(json!({"type": "text", "text": {"body": text}})),
        "image" | "video" | "document" => {
            let mut node = content.clone();
            node["caption"] = json!(text);
            Ok(json!({"type": kind, kind: node}))
        }
        _ => Err(ControlError::bad_request("only texts and captions can be edited")),
    }
}
