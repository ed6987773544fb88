//! A webhook of Meta, from its bytes to the items that are stored.

use crate::measure::{Bound, Case, Kind, MIB};
use gateways::whatsapp::webhook;
use serde_json::{Value, json};
use std::hint::black_box;

pub static KIND: Kind = Kind {
    name: "webhook",
    bound: Bound { work: (200, 96 * MIB), peak: (120, 64 * MIB) },
    most: 1 << 20,
    seeds,
    words: &[
        "object",
        "whatsapp_business_account",
        "entry",
        "id",
        "changes",
        "field",
        "messages",
        "value",
        "metadata",
        "phone_number_id",
        "display_phone_number",
        "contacts",
        "profile",
        "name",
        "wa_id",
        "user_id",
        "from",
        "from_user_id",
        "timestamp",
        "type",
        "text",
        "body",
        "interactive",
        "button",
        "edit",
        "message",
        "statuses",
        "status",
        "sent",
        "errors",
        "code",
        "title",
        "context",
        "group_id",
        "\\ud83d",
        "\\u0000",
        "\u{0}",
        "é",
        "551199$i",
        "biz_opaque_callback_data",
        "recipient_id",
        "username",
        "$i",
    ],
    prepare,
};

fn seeds() -> Vec<Value> {
    let delivery = |value: Value| json!({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}]});
    let number = json!({"display_phone_number": "15550001111", "phone_number_id": "106540352242922"});
    let message = |fields: Value| {
        let mut message = json!({"id": "wamid.$i", "from": "551199$i", "timestamp": "1790000001", "type": "text", "text": {"body": "Hi"}});
        for (name, value) in fields.as_object().into_iter().flatten() {
            message[name] = value.clone();
        }
        message
    };
    let contact = json!({"wa_id": "551199$i", "profile": {"name": "Ann"}});
    vec![
        delivery(json!({"metadata": number, "contacts": [contact], "messages": [message(json!({}))]})),
        delivery(
            json!({"metadata": number, "contacts": [{"$times": 800, "of": contact}], "messages": [{"$times": 800, "of": message(json!({}))}]}),
        ),
        delivery(
            json!({"metadata": number, "statuses": [{"$times": 100, "of": {"id": "w$i", "status": "sent", "timestamp": "1", "recipient_id": "5$i"}}]}),
        ),
        delivery(json!({"metadata": number, "statuses": [{"$times": 100, "of": {"id": "w", "status": "s"}}]})),
        delivery(
            json!({"metadata": number, "messages": [{"$times": 50, "of": message(json!({"type": "edit", "edit": {"message": {"type": "text", "text": {"body": "x"}}}}))}]}),
        ),
        json!({"object": "page", "entry": [{"$times": 50, "of": {"id": "1", "changes": [{"field": "x", "value": {}}]}}]}),
        json!({"object": "whatsapp_business_account", "entry": [{"changes": [{"$times": 100, "of": {"field": "messages", "value": {"errors": []}}}]}]}),
        json!({"entry": [{"$times": 300, "of": []}]}),
        json!({"$text": ["{\"entry\":\"", {"$times": 200, "of": "\\ud83d"}, "\"}"]}),
        json!({"a\u{0}": [{"$times": 100, "of": "\u{0}$i"}]}),
    ]
}

fn prepare(input: &Value) -> Option<Case> {
    let body = match input {
        Value::String(text) => text.clone().into_bytes(),
        other => other.to_string().into_bytes(),
    };
    let bytes = body.len();
    Some(Case { bytes, work: Box::new(move || drop(black_box(webhook::parse(&body)))) })
}
