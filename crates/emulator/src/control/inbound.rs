//! A person writes to the business.

use std::sync::Arc;

use axum::{Json, extract::State as Shared};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{error::ControlError, input::Input, media, taps};
use crate::{
    chats::Message,
    clock::Millis,
    ids::Direction,
    driver::Runtime,
    state::State,
    users::User,
    webhooks::{Event, contact, envelope, messages_value},
    world::PhoneNumber,
};

/// What the person sends. The node of the type is one of the other properties, as in a webhook;
/// `text` may be a plain string.
#[derive(Deserialize)]
pub(crate) struct Inbound {
    /// The first number when absent.
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
    /// What is tapped in `reply_to`, by id, payload or title: makes type and node.
    tap: Option<String>,
    /// Accept taps on what is not there.
    #[serde(default)]
    force: bool,
    #[serde(flatten)]
    nodes: Map<String, Value>,
}

/// Properties that go into the webhook as they are given.
const PASSED_ON: [&str; 3] = ["referral", "errors", "group_id"];

/// Put a message on its way; its webhook is queued, and on a manual clock attempted.
pub(crate) async fn receive(
    Shared(runtime): Shared<Arc<Runtime>>,
    Input(inbound): Input<Inbound>,
) -> Result<Json<Value>, ControlError> {
    let (id, delivery) = runtime.with(|state| take_in(state, inbound))?;
    runtime.settle().await;
    Ok(Json(json!({"message_id": id, "deliveries": [delivery]})))
}

impl Inbound {
    /// A message of a type that the emulator itself makes.
    pub(super) fn of(number: String, from: String, kind: &str, node: Value) -> Self {
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

/// A message on its way from a person, with everything found or decided.
struct Arrival {
    number: PhoneNumber,
    user: User,
    id: String,
    kind: String,
    content: Value,
    at: Millis,
}

pub(super) fn take_in(state: &mut State, mut inbound: Inbound) -> Result<(String, u64), ControlError> {
    if let Some(choice) = &inbound.tap {
        let message = inbound.reply_to.as_deref();
        let message = message.ok_or_else(|| ControlError::bad_request("a tap needs reply_to"))?;
        let (kind, node) = taps::tapped(state, message, choice)?;
        inbound.r#type = Some(kind.to_owned());
        inbound.nodes.insert(kind.to_owned(), node);
    }
    let arrival = arrive(state, &inbound)?;
    let message = on_the_wire(state, &inbound, &arrival);
    let event = Event {
        name: "message".to_owned(),
        number: Some(arrival.number.id.clone()),
        people: state.names_of(&arrival.user.key),
        kind: Some(arrival.kind.clone()),
        hold: inbound.deliver == Some(false),
        delay: 0,
    };
    // System messages are about a person, not from a contact.
    let contact = (arrival.kind != "system").then(|| contact(&arrival.user));
    let value = messages_value(&state.world, &arrival.number.id, contact, "messages", message);
    let body = envelope(&state.world, "messages", value, None);
    let delivery = state.emit(event, &body);
    let id = arrival.id.clone();
    show(state, arrival, inbound.reply_to);
    Ok((id, delivery))
}

fn arrive(state: &mut State, inbound: &Inbound) -> Result<Arrival, ControlError> {
    let number = match &inbound.phone_number_id {
        Some(id) => state.world.number(id),
        None => state.world.numbers.first(),
    };
    let number = number.ok_or_else(|| ControlError::not_found("no such phone number"))?.clone();
    if inbound.id.as_ref().is_some_and(|id| state.chats.message(id).is_some()) {
        return Err(ControlError::conflict("the id is taken; to send a webhook again, redeliver it"));
    }
    let kind = inbound.r#type.clone().unwrap_or_else(|| "text".to_owned());
    let mut content = content(inbound, &kind)?;
    if !inbound.force {
        taps::check(state, inbound.reply_to.as_deref(), &kind, &content)?;
    }
    if media::KINDS.contains(&kind.as_str()) {
        media::describe(state, &kind, &mut content);
    }
    let at = timestamp(inbound.timestamp.as_ref(), state.clock.now())?;
    if let Some(unknown) = unknown_property(inbound, &kind) {
        return Err(ControlError::bad_request(format!("unknown property {unknown}")));
    }
    let user = state.users.sender(&inbound.from, &mut state.ids);
    let user =
        user.ok_or_else(|| ControlError::not_found("from is no known user, and no phone number to make one of"))?;
    let id = match inbound.id.clone() {
        Some(id) => id,
        None => state.ids.wamid(Direction::In, user.wa_id.as_deref()),
    };
    Ok(Arrival { number, user, id, kind, content, at })
}

/// The message as the webhook has it.
fn on_the_wire(state: &State, inbound: &Inbound, arrival: &Arrival) -> Value {
    let mut message = json!({});
    if let Some(wa_id) = arrival.user.shown_wa_id() {
        message["from"] = json!(wa_id);
    }
    if let Some(user_id) = &arrival.user.user_id {
        message["from_user_id"] = json!(user_id);
    }
    if let Some(context) = context(state, inbound, &arrival.number.display, &arrival.user) {
        message["context"] = context;
    }
    message["id"] = json!(arrival.id);
    message["timestamp"] = json!((arrival.at / 1000).to_string());
    message["type"] = json!(arrival.kind);
    if !arrival.content.is_null() {
        message[&arrival.kind] = arrival.content.clone();
    }
    for name in PASSED_ON {
        if let Some(value) = inbound.nodes.get(name) {
            message[name] = value.clone();
        }
    }
    message
}

/// Put it into the chat: a reaction on the message it is about, everything else in order.
fn show(state: &mut State, arrival: Arrival, reply_to: Option<String>) {
    let Arrival { number, user, content, .. } = arrival;
    if arrival.kind == "reaction" {
        state.chats.touch(&number.id, &user.key, arrival.at);
        let target = content["message_id"].as_str().unwrap_or_default();
        if let Some(target) = state.chats.message_mut(target) {
            target.react(&user.key, content["emoji"].as_str().unwrap_or_default());
        }
        return;
    }
    let original = content["original_message_id"].as_str().unwrap_or_default();
    match (arrival.kind.as_str(), state.chats.message_mut(original)) {
        ("edit", Some(message)) => {
            let inner = &content["message"];
            message.content = inner[inner["type"].as_str().unwrap_or("text")].clone();
            return;
        }
        ("revoke", Some(message)) => {
            "deleted".clone_into(&mut message.kind);
            message.content = Value::Null;
            return;
        }
        _ => {}
    }
    let message = Message {
        id: arrival.id,
        number: number.id,
        user: user.key,
        direction: Direction::In,
        kind: arrival.kind,
        content,
        category: None,
        at: arrival.at,
        reply_to,
        reactions: Vec::new(),
        statuses: Vec::new(),
        opaque: None,
        fails_with: None,
        reversed: false,
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
        None if kind == "text" => Err(ControlError::bad_request("text is missing")),
        None => Ok(Value::Null),
    }
}

/// A misspelt property would otherwise be dropped silently.
fn unknown_property<'a>(inbound: &'a Inbound, kind: &str) -> Option<&'a str> {
    let known = |name: &str| name == kind || PASSED_ON.contains(&name);
    inbound.nodes.keys().map(String::as_str).find(|name| !known(name))
}

/// Unix seconds, as a string like in webhooks or as a number.
fn timestamp(given: Option<&Value>, now: Millis) -> Result<Millis, ControlError> {
    let seconds = match given {
        None => return Ok(now),
        Some(Value::String(text)) => text.parse::<u64>().ok(),
        Some(value) => value.as_u64(),
    };
    let plausible = seconds.filter(|seconds| *seconds < 100_000_000_000);
    let seconds = plausible.ok_or_else(|| ControlError::bad_request("timestamp is Unix seconds"))?;
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
