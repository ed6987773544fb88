//! Messages from a contact to the business.

use std::sync::Arc;

use axum::{Json, extract::State as Shared};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{error::ControlError, input::Input, media, taps};
use crate::{
    clock::Millis,
    driver::Driver,
    messages::{DELETED, Direction, Message},
    state::State,
    users::User,
    webhooks::{Event, contact, envelope, messages_value},
    world::PhoneNumber,
};

/// A message from a contact. Its content is in the property named after its type, as in a webhook;
/// `text` may be a plain string.
#[derive(Deserialize)]
pub(crate) struct Inbound {
    /// Default: the first number.
    phone_number_id: Option<String>,
    from: String,
    r#type: Option<String>,
    reply_to: Option<String>,
    context: Option<Value>,
    #[serde(default)]
    forwarded: bool,
    id: Option<String>,
    timestamp: Option<Value>,
    deliver: Option<bool>,
    /// Choice tapped in `reply_to`, by id, payload or title. Determines type and content.
    tap: Option<String>,
    /// Accept taps on choices that do not exist.
    #[serde(default)]
    force: bool,
    #[serde(flatten)]
    nodes: Map<String, Value>,
}

/// Properties that are copied into the webhook.
const PASSED_ON: [&str; 3] = ["referral", "errors", "group_id"];

/// Accepts a message and queues its webhook; a manual clock also waits for the attempt.
pub(crate) async fn receive(
    Shared(driver): Shared<Arc<Driver>>,
    Input(inbound): Input<Inbound>,
) -> Result<Json<Value>, ControlError> {
    let (id, delivery) = driver.with(|state| accept_inbound(state, inbound))?;
    driver.settle().await;
    Ok(Json(json!({"message_id": id, "deliveries": [delivery]})))
}

impl Inbound {
    /// Message of a type that the emulator generates.
    pub(super) fn generated(number: String, from: String, kind: &str, node: Value) -> Self {
        Self {
            phone_number_id: Some(number),
            from,
            r#type: Some(kind.to_owned()),
            reply_to: None,
            context: None,
            forwarded: false,
            id: None,
            timestamp: None,
            deliver: None,
            tap: None,
            force: true,
            nodes: Map::from_iter([(kind.to_owned(), node)]),
        }
    }
}

/// An inbound message with all look-ups done.
struct Resolved {
    number: PhoneNumber,
    user: User,
    id: String,
    kind: String,
    content: Value,
    at: Millis,
}

pub(super) fn accept_inbound(state: &mut State, mut inbound: Inbound) -> Result<(String, u64), ControlError> {
    if let Some(choice) = &inbound.tap {
        let message = inbound.reply_to.as_deref();
        let message = message.ok_or_else(|| ControlError::bad_request("a tap needs reply_to"))?;
        let (kind, node) = taps::reply_to_tap(state, message, choice)?;
        inbound.r#type = Some(kind.to_owned());
        inbound.nodes.insert(kind.to_owned(), node);
    }
    let resolved = resolve(state, &inbound)?;
    let message = webhook_message(state, &inbound, &resolved);
    let event = Event {
        name: "message".to_owned(),
        number: Some(resolved.number.id.clone()),
        people: state.names_of(&resolved.user.key),
        kind: Some(resolved.kind.clone()),
        hold: inbound.deliver == Some(false),
        delay: 0,
    };
    // System messages have no contact.
    let contact = (resolved.kind != "system").then(|| contact(&resolved.user));
    let value = messages_value(&state.world, &resolved.number.id, contact, "messages", message);
    let body = envelope(&state.world, "messages", value, None);
    let delivery = state.emit(event, &body);
    let id = resolved.id.clone();
    add_to_chat(state, resolved, inbound.reply_to);
    Ok((id, delivery))
}

fn resolve(state: &mut State, inbound: &Inbound) -> Result<Resolved, ControlError> {
    let number = match &inbound.phone_number_id {
        Some(id) => state.world.number(id),
        None => state.world.numbers.first(),
    };
    let number = number.ok_or_else(|| ControlError::not_found("phone number not found"))?.clone();
    if inbound.id.as_ref().is_some_and(|id| state.chats.message(id).is_some()) {
        return Err(ControlError::conflict("another message has this id; to repeat its webhook, use redeliver"));
    }
    let kind = inbound.r#type.clone().unwrap_or_else(|| "text".to_owned());
    let mut content = content(inbound, &kind)?;
    if !inbound.force {
        taps::check_choice(state, inbound.reply_to.as_deref(), &kind, &content)?;
    }
    if media::KINDS.contains(&kind.as_str()) {
        media::describe(state, &kind, &mut content);
    }
    let at = timestamp(inbound.timestamp.as_ref(), state.clock.now())?;
    if let Some(unknown) = unknown_property(inbound, &kind) {
        return Err(ControlError::bad_request(format!("unknown property {unknown}")));
    }
    let user = state.users.sender(&inbound.from, &mut state.ids);
    let user = user.ok_or_else(|| ControlError::not_found("from must be a known user or a phone number"))?;
    let id = match inbound.id.clone() {
        Some(id) => id,
        None => state.ids.wamid(Direction::In, user.wa_id.as_deref()),
    };
    Ok(Resolved { number, user, id, kind, content, at })
}

/// Message in the form of the webhook.
fn webhook_message(state: &State, inbound: &Inbound, resolved: &Resolved) -> Value {
    let mut message = json!({});
    if let Some(wa_id) = resolved.user.shown_wa_id() {
        message["from"] = json!(wa_id);
    }
    if let Some(user_id) = &resolved.user.user_id {
        message["from_user_id"] = json!(user_id);
    }
    if let Some(context) = context(state, inbound, &resolved.number.display, &resolved.user) {
        message["context"] = context;
    }
    message["id"] = json!(resolved.id);
    message["timestamp"] = json!((resolved.at / 1000).to_string());
    message["type"] = json!(resolved.kind);
    if !resolved.content.is_null() {
        message[&resolved.kind] = resolved.content.clone();
    }
    for name in PASSED_ON {
        if let Some(value) = inbound.nodes.get(name) {
            message[name] = value.clone();
        }
    }
    message
}

/// Adds the message to the chat. Reactions, edits and deletions change an earlier message instead.
fn add_to_chat(state: &mut State, resolved: Resolved, reply_to: Option<String>) {
    let Resolved { number, user, content, .. } = resolved;
    if resolved.kind == "reaction" {
        state.chats.touch(&number.id, &user.key, resolved.at);
        let target = content["message_id"].as_str().unwrap_or_default();
        if let Some(target) = state.chats.message_mut(target) {
            target.react(&user.key, content["emoji"].as_str().unwrap_or_default());
        }
        return;
    }
    let original = content["original_message_id"].as_str().unwrap_or_default();
    match (resolved.kind.as_str(), state.chats.message_mut(original)) {
        ("edit", Some(message)) => {
            let inner = &content["message"];
            message.content = inner[inner["type"].as_str().unwrap_or("text")].clone();
            message.edited = true;
            return;
        }
        ("revoke", Some(message)) => {
            DELETED.clone_into(&mut message.kind);
            message.content = Value::Null;
            message.edited = false;
            return;
        }
        _ => {}
    }
    let message = Message {
        id: resolved.id,
        number: number.id,
        user: user.key,
        direction: Direction::In,
        kind: resolved.kind,
        content,
        category: None,
        at: resolved.at,
        reply_to,
        reactions: Vec::new(),
        statuses: Vec::new(),
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

fn content(inbound: &Inbound, kind: &str) -> Result<Value, ControlError> {
    match inbound.nodes.get(kind) {
        Some(Value::String(text)) if kind == "text" => Ok(json!({"body": text})),
        Some(node) => Ok(node.clone()),
        None if kind == "text" => Err(ControlError::bad_request("text is required")),
        None => Ok(Value::Null),
    }
}

/// Finds a misspelt property, which would otherwise be ignored.
fn unknown_property<'a>(inbound: &'a Inbound, kind: &str) -> Option<&'a str> {
    let known = |name: &str| name == kind || PASSED_ON.contains(&name);
    inbound.nodes.keys().map(String::as_str).find(|name| !known(name))
}

/// Reads Unix seconds from a string (as in webhooks) or a number.
fn timestamp(given: Option<&Value>, now: Millis) -> Result<Millis, ControlError> {
    let seconds = match given {
        None => return Ok(now),
        Some(Value::String(text)) => text.parse::<u64>().ok(),
        Some(value) => value.as_u64(),
    };
    let plausible = seconds.filter(|seconds| *seconds < 100_000_000_000);
    let seconds = plausible.ok_or_else(|| ControlError::bad_request("timestamp must be Unix seconds"))?;
    Ok(seconds * 1000)
}

fn context(state: &State, inbound: &Inbound, display: &str, user: &User) -> Option<Value> {
    let mut context = match &inbound.context {
        Some(Value::Object(given)) => given.clone(),
        _ => Map::new(),
    };
    if let Some(id) = &inbound.reply_to {
        let own = state.chats.message(id).is_some_and(|m| m.direction == Direction::In);
        let author = if own { user.shown_wa_id() } else { Some(display) };
        context.insert("from".to_owned(), json!(author));
        context.insert("id".to_owned(), json!(id));
    }
    if inbound.forwarded {
        context.insert("forwarded".to_owned(), json!(true));
    }
    (!context.is_empty()).then_some(Value::Object(context))
}
