//! What a person does besides writing: reacts, deletes, edits, takes another number.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State as Shared},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    error::ControlError,
    inbound::{Inbound, take_in},
    input::Input,
};
use crate::{
    ids::Direction,
    driver::Runtime,
    users::{self, User},
};

/// What a person does to a message in the chat.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Deed {
    message_id: String,
    emoji: Option<String>,
    text: Option<String>,
}

/// React to a message, take the reaction back (no emoji), delete or edit a message of one's own.
pub(crate) async fn act(
    Shared(runtime): Shared<Arc<Runtime>>,
    Path((key, deed)): Path<(String, String)>,
    Input(given): Input<Deed>,
) -> Result<Json<Value>, ControlError> {
    let (id, delivery) = runtime.with(|state| {
        let message = state.chats.message(&given.message_id);
        let message = message.ok_or_else(|| ControlError::not_found("no such message"))?;
        let (number, own) = (message.number.clone(), message.direction == Direction::In);
        let target = &given.message_id;
        let (kind, node) = match (deed.as_str(), own) {
            ("react", _) => ("reaction", json!({"message_id": target, "emoji": given.emoji.unwrap_or_default()})),
            ("delete", true) => ("revoke", json!({"original_message_id": target})),
            ("edit", true) => {
                let text = given.text.ok_or_else(|| ControlError::bad_request("text is missing"))?;
                let message = json!({"type": "text", "text": {"body": text}});
                ("edit", json!({"original_message_id": target, "message": message}))
            }
            ("delete" | "edit", false) => return Err(ControlError::bad_request("only one's own messages")),
            _ => return Err(ControlError::not_found("no such control call")),
        };
        take_in(state, Inbound::of(number, key, kind, node))
    })?;
    runtime.settle().await;
    Ok(Json(json!({"message_id": id, "deliveries": [delivery]})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewNumber {
    wa_id: String,
}

/// A person takes another number: WhatsApp tells the business.
pub(crate) async fn change_number(
    Shared(runtime): Shared<Arc<Runtime>>,
    Path(key): Path<String>,
    Input(new): Input<NewNumber>,
) -> Result<Json<Value>, ControlError> {
    let wa_id = users::digits(&new.wa_id);
    let wa_id = wa_id.ok_or_else(|| ControlError::bad_request("wa_id is no phone number"))?;
    let (id, delivery) = runtime.with(|state| {
        let user = state.users.find(&key).cloned();
        let user = user.ok_or_else(|| ControlError::not_found("no such user"))?;
        let number = state.world.numbers.first().map(|number| number.id.clone()).unwrap_or_default();
        let old = user.wa_id.clone().unwrap_or_default();
        let body = format!("User {} changed from {old} to {wa_id}", user.name);
        let node = json!({"body": body, "wa_id": wa_id, "type": "user_changed_number"});
        let told = take_in(state, Inbound::of(number, user.key.clone(), "system", node))?;
        state.users.put(User { wa_id: Some(wa_id.clone()), ..user });
        Ok(told)
    })?;
    runtime.settle().await;
    Ok(Json(json!({"message_id": id, "deliveries": [delivery]})))
}
