//! Splits a body into messages, statuses and other changes.

use super::{
    Delivery, Item, Malformed, json,
    message::{self, Contacts, Envelope},
    saved_contact::{self, Entry},
    status,
};
use serde_json::{Map, Value};

const OBJECT: &str = "whatsapp_business_account";
const ECHOES: &str = "smb_message_echoes";
const ADDRESS_BOOK: &str = "smb_app_state_sync";
/// Items of a delivery; Meta sends 25,000 at most. `{}` in a list of changes has three bytes, and
/// takes a kilobyte as an item.
const MOST_ITEMS: usize = 50_000;

/// Reads a webhook body. An error is answered with 400, everything else with 200.
pub fn parse(body: &[u8]) -> Result<Delivery, Malformed> {
    let root = json::read(body)?;
    let object = json::text(root.get("object")).unwrap_or_default();
    let mut delivery = Delivery::default();
    for entry in list(&root, "entry", &mut delivery.malformed) {
        let Some(entry) = entry.as_object() else {
            delivery.malformed += 1;
            continue;
        };
        let waba_id = json::id(entry.get("id"));
        for change in list(entry, "changes", &mut delivery.malformed) {
            read_change(&object, waba_id.as_deref(), change, &mut delivery);
            if delivery.items.len() > MOST_ITEMS {
                return Err(Malformed::TooManyValues);
            }
        }
    }
    if delivery.malformed > 0 {
        tracing::warn!(dropped = delivery.malformed, "parts of a webhook were malformed");
    }
    Ok(delivery)
}

fn read_change(object: &str, waba_id: Option<&str>, change: &Value, delivery: &mut Delivery) {
    let field = json::text(change.get("field")).unwrap_or_default();
    let value = change.get("value").and_then(Value::as_object);
    let ours = object == OBJECT && field == "messages";
    let echoes = object == OBJECT && field == ECHOES;
    let address_book = object == OBJECT && field == ADDRESS_BOOK;
    let number = value.and_then(|value| json::id(value.get("metadata")?.get("phone_number_id")));
    if value.is_none() {
        delivery.malformed += 1;
    }
    if ours && let Some(value) = value {
        read_value(waba_id, number.as_deref(), value, delivery);
    }
    if echoes && let Some(value) = value {
        read_echoes(waba_id, number.as_deref(), value, delivery);
    }
    if address_book && let (Some(value), Some(number)) = (value, number.as_deref()) {
        read_address_book(number, value, delivery);
    }
    // A change may hold errors of the account in addition to messages: then it is kept as well.
    let has = |key| value.is_some_and(|value| value.contains_key(key));
    let is_read = (ours && (has("messages") || has("statuses")))
        || (echoes && has("message_echoes"))
        || (address_book && number.is_some() && has("state_sync"));
    if !is_read || has("errors") {
        delivery.items.push(Item::Other {
            field,
            object: object.to_owned(),
            waba_id: waba_id.map(str::to_owned),
            phone_number_id: number,
            raw: change.clone(),
        });
    }
}

fn read_value(waba_id: Option<&str>, number: Option<&str>, value: &Map<String, Value>, delivery: &mut Delivery) {
    let messages = list(value, "messages", &mut delivery.malformed);
    let statuses = list(value, "statuses", &mut delivery.malformed);
    let Some(number) = number else {
        // Without a number there is no project.
        delivery.malformed += messages.len() + statuses.len();
        return;
    };
    let envelope = envelope(waba_id, number, value);
    for raw in messages {
        match message::read(&envelope, raw) {
            Some(message) => delivery.items.push(Item::Message(message)),
            None => delivery.malformed += 1,
        }
    }
    for raw in statuses {
        match status::read(number, raw) {
            Some(status) => delivery.items.push(Item::Status(status)),
            None => delivery.malformed += 1,
        }
    }
}

/// Messages that were written on the shop's phone.
fn read_echoes(waba_id: Option<&str>, number: Option<&str>, value: &Map<String, Value>, delivery: &mut Delivery) {
    let echoes = list(value, "message_echoes", &mut delivery.malformed);
    let Some(number) = number else {
        delivery.malformed += echoes.len();
        return;
    };
    let envelope = envelope(waba_id, number, value);
    for raw in echoes {
        match message::read_echo(&envelope, raw) {
            Some(echo) => delivery.items.push(Item::Echo(echo)),
            None => delivery.malformed += 1,
        }
    }
}

fn read_address_book(number: &str, value: &Map<String, Value>, delivery: &mut Delivery) {
    for raw in list(value, "state_sync", &mut delivery.malformed) {
        match saved_contact::read(number, raw) {
            Entry::Saved(contact) => delivery.items.push(Item::SavedContact(contact)),
            Entry::Ignored => {}
            Entry::Malformed => delivery.malformed += 1,
        }
    }
}

fn envelope<'a>(waba_id: Option<&'a str>, number: &'a str, value: &'a Map<String, Value>) -> Envelope<'a> {
    Envelope {
        waba_id,
        phone_number_id: number,
        display_phone_number: value.get("metadata").and_then(|metadata| json::id(metadata.get("display_phone_number"))),
        contacts: Contacts::new(value.get("contacts").and_then(Value::as_array).map_or(&[], Vec::as_slice)),
    }
}

/// An optional list. Anything else is counted as malformed.
fn list<'a>(map: &'a Map<String, Value>, key: &str, malformed: &mut usize) -> &'a [Value] {
    match map.get(key) {
        None | Some(Value::Null) => &[],
        Some(Value::Array(list)) => list,
        Some(_) => {
            *malformed += 1;
            &[]
        }
    }
}
