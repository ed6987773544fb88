//! Messages that a person writes on the shop's phone, in the WhatsApp Business app of a number that is
//! in the Cloud API as well. Meta reports them, their edits and their deletions in the field
//! `smb_message_echoes` (developers.facebook.com, WhatsApp Business Platform, webhooks reference,
//! "smb_message_echoes", 2026-05-21).

use std::sync::Arc;

use axum::{Json, extract::State as Shared};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    actions::{DELETABLE, EDITABLE, edited},
    error::ControlError,
    input::Input,
    media,
};
use crate::{
    clock::Millis,
    driver::Driver,
    messages::{DELETED, Direction, Message, StatusEntry, StatusKind},
    state::State,
    users::User,
    webhooks::{Event, envelope, messages_value},
    world::PhoneNumber,
};

/// A message to a contact. Its content is in the property named after its type, as in a webhook;
/// `text` may be a plain string.
#[derive(Deserialize)]
pub(crate) struct Echo {
    /// Default: the first number.
    phone_number_id: Option<String>,
    to: String,
    r#type: Option<String>,
    reply_to: Option<String>,
    /// An earlier message of the phone: gets `text` as its new text or caption.
    edit: Option<String>,
    /// An earlier message of the phone: is deleted for all.
    revoke: Option<String>,
    #[serde(flatten)]
    nodes: Map<String, Value>,
}

/// Accepts a message of the phone and queues its webhook; a manual clock also waits for the attempt.
pub(crate) async fn write(
    Shared(driver): Shared<Arc<Driver>>,
    Input(echo): Input<Echo>,
) -> Result<Json<Value>, ControlError> {
    let (id, delivery) = driver.with(|state| accept(state, &echo))?;
    driver.settle().await;
    Ok(Json(json!({"message_id": id, "deliveries": [delivery]})))
}

fn accept(state: &mut State, echo: &Echo) -> Result<(String, u64), ControlError> {
    let number = match &echo.phone_number_id {
        Some(id) => state.world.number(id),
        None => state.world.numbers.first(),
    };
    let number = number.ok_or_else(|| ControlError::not_found("phone number not found"))?.clone();
    let user = state.users.sender(&echo.to, &mut state.ids);
    let user = user.ok_or_else(|| ControlError::not_found("to must be a known user or a phone number"))?;
    let (kind, content) = match (&echo.edit, &echo.revoke) {
        (Some(target), None) => edit(state, &number, target, echo.nodes.get("text"))?,
        (None, Some(target)) => revoke(state, &number, target)?,
        (None, None) => new(state, echo)?,
        (Some(_), Some(_)) => return Err(ControlError::bad_request("edit and revoke exclude each other")),
    };
    let id = state.ids.wamid(Direction::Out, user.wa_id.as_deref());
    let now = state.clock.now();
    let mut element = json!({"from": digits(&number.display)});
    if let Some(wa_id) = user.shown_wa_id() {
        element["to"] = json!(wa_id);
    }
    if let Some(user_id) = &user.user_id {
        element["to_user_id"] = json!(user_id);
    }
    element["id"] = json!(id);
    element["timestamp"] = json!((now / 1000).to_string());
    element["type"] = json!(kind);
    element[&kind] = content.clone();
    if let Some(quoted) = &echo.reply_to {
        element["context"] = json!({"id": quoted});
    }
    let event = Event {
        name: "echo".to_owned(),
        number: Some(number.id.clone()),
        people: state.names_of(&user.key),
        kind: Some(kind.clone()),
        hold: false,
        delay: 0,
    };
    // Meta's reference shows no contact.
    let value = messages_value(&state.world, &number.id, None, "message_echoes", element);
    let body = envelope(&state.world, "smb_message_echoes", value, None);
    let delivery = state.emit(event, &body);
    if !matches!(kind.as_str(), "edit" | "revoke") {
        add_to_chat(state, &number, user, &id, (kind, content), echo.reply_to.clone(), now);
    }
    Ok((id, delivery))
}

fn new(state: &State, echo: &Echo) -> Result<(String, Value), ControlError> {
    let kind = echo.r#type.clone().unwrap_or_else(|| "text".to_owned());
    if let Some(unknown) = echo.nodes.keys().find(|name| **name != kind) {
        return Err(ControlError::bad_request(format!("unknown property {unknown}")));
    }
    let mut content = match echo.nodes.get(&kind) {
        Some(Value::String(text)) if kind == "text" => json!({"body": text}),
        Some(node) => node.clone(),
        None => return Err(ControlError::bad_request(format!("{kind} is required"))),
    };
    if media::KINDS.contains(&kind.as_str()) {
        media::describe(state, &kind, &mut content);
    }
    Ok((kind, content))
}

fn edit(
    state: &mut State,
    number: &PhoneNumber,
    target: &str,
    text: Option<&Value>,
) -> Result<(String, Value), ControlError> {
    let text = text.and_then(Value::as_str).ok_or_else(|| ControlError::bad_request("text is required"))?;
    let message = written(state, number, target, EDITABLE, "messages can be edited for 15 minutes")?;
    let now = edited(&message.kind, &message.content, text)?;
    message.content = now[&message.kind].clone();
    message.edited = true;
    Ok(("edit".to_owned(), json!({"original_message_id": target, "message": now})))
}

fn revoke(state: &mut State, number: &PhoneNumber, target: &str) -> Result<(String, Value), ControlError> {
    let message = written(state, number, target, DELETABLE, "messages can be deleted for two days")?;
    DELETED.clone_into(&mut message.kind);
    message.content = Value::Null;
    message.edited = false;
    Ok(("revoke".to_owned(), json!({"original_message_id": target})))
}

/// A message of the business that is not too old to be changed.
fn written<'s>(
    state: &'s mut State,
    number: &PhoneNumber,
    target: &str,
    most: Millis,
    too_old: &str,
) -> Result<&'s mut Message, ControlError> {
    let now = state.clock.now();
    let message = state.chats.message_mut(target);
    let message = message.filter(|message| message.direction == Direction::Out && message.number == number.id);
    let message = message.ok_or_else(|| ControlError::not_found("the number has sent no such message"))?;
    if message.kind == DELETED {
        return Err(ControlError::bad_request("the message is deleted"));
    }
    if now.saturating_sub(message.at) > most {
        return Err(ControlError::bad_request(too_old));
    }
    Ok(message)
}

fn add_to_chat(
    state: &mut State,
    number: &PhoneNumber,
    user: User,
    id: &str,
    (kind, content): (String, Value),
    reply_to: Option<String>,
    at: Millis,
) {
    if kind == "reaction" {
        let target = content["message_id"].as_str().unwrap_or_default();
        if let Some(target) = state.chats.message_mut(target) {
            target.react(&number.id, content["emoji"].as_str().unwrap_or_default());
        }
        return;
    }
    let message = Message {
        id: id.to_owned(),
        number: number.id.clone(),
        user: user.key,
        direction: Direction::Out,
        kind,
        content,
        category: None,
        at,
        reply_to,
        reactions: Vec::new(),
        statuses: vec![StatusEntry { status: StatusKind::Sent, at, error: None }],
        opaque: None,
        fails_with: None,
        reversed: false,
        edited: false,
        held: Vec::new(),
        waits_for_phone: false,
    };
    state.feed.message(&message.number, &message.user, &message.to_json());
    state.chats.add(message);
}

fn digits(display: &str) -> String {
    display.chars().filter(char::is_ascii_digit).collect()
}
