//! Webhooks in Meta's form, signed.

use crate::account::{APP_SECRET, PHONE_NUMBER, PHONE_NUMBER_ID};
use gateways::whatsapp::signature;
use secrecy::SecretString;
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

/// Webhook with a text from a phone.
pub fn text(phone: &str, wamid: &str, body: &str) -> Value {
    delivery(json!({
        "contacts": [{"profile": {"name": "Ana"}, "wa_id": phone}],
        "messages": [{"from": phone, "id": wamid, "timestamp": now(), "type": "text", "text": {"body": body}}],
    }))
}

/// Webhook with a status of a sent message.
pub fn status(phone: &str, wamid: &str, word: &str, opaque: &str) -> Value {
    delivery(json!({
        "statuses": [{"id": wamid, "status": word, "timestamp": now(), "recipient_id": phone, "biz_opaque_callback_data": opaque}],
    }))
}

/// Webhook with these messages or statuses.
pub fn delivery(mut value: Value) -> Value {
    value["messaging_product"] = json!("whatsapp");
    value["metadata"] = json!({"display_phone_number": PHONE_NUMBER, "phone_number_id": PHONE_NUMBER_ID});
    json!({"object": "whatsapp_business_account", "entry": [{"id": "200000000000001", "changes": [{"value": value, "field": "messages"}]}]})
}

fn now() -> String {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()).to_string()
}

/// Posts a webhook. Returns true if it was accepted.
pub async fn post(http: &reqwest::Client, server: &str, webhook: &Value) -> bool {
    let body = webhook.to_string();
    let signed = signature::sign(&SecretString::from(APP_SECRET), body.as_bytes());
    let request = http.post(format!("{server}/webhooks/whatsapp")).header("content-type", "application/json");
    let answer = request.header(signature::HEADER, signed).body(body).send().await;
    match answer {
        Ok(answer) => answer.status().is_success() && answer.bytes().await.is_ok(),
        Err(_) => false,
    }
}
