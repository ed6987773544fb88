//! Messages of every type, in both directions.

mod changes;
mod files;
mod for_agent;
mod inbound;
mod media;
mod outgoing;
mod people;
mod phone_replies;
mod phone_reply_changes;
mod pictures;
mod read_and_delete;
mod standalone;
mod template_lookup;
mod validation;

use gateways::whatsapp::signature;
use reqwest::Method;
use secrecy::SecretString;
use serde_json::{Value, json};
use testkit::{ANA, Answer, TestApp};

/// An application with a conversation in which Ana has just written and no execution is active.
async fn talking() -> (TestApp, String) {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Plain"})).await;
    app.activate(ANA, &agent).await;
    let conversation = conversation(&app).await;
    (app, format!("/api/v1/whatsapp_conversations/{conversation}/whatsapp_messages"))
}

async fn conversation(app: &TestApp) -> String {
    app.get("/api/v1/whatsapp_conversations").await.data()[0]["id"].as_str().unwrap().to_owned()
}

async fn send(app: &TestApp, path: &str, message: Value) -> Answer {
    app.post(path, json!({ "message": message })).await
}

/// Problems as `pointer code`.
fn details(answer: &Answer) -> Vec<String> {
    let details = answer.body["details"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    details.iter().map(|detail| format!("{} {}", text(&detail["path"]), text(&detail["code"]))).collect()
}

async fn last_on_phone(app: &TestApp) -> Value {
    app.chat(ANA).await.into_iter().rfind(|message| message["direction"] == "out").unwrap()
}

/// The message as the list currently shows it.
async fn shown(app: &TestApp, path: &str, id: &str) -> Value {
    let list = app.get(&format!("{path}?per_page=100")).await;
    list.data().as_array().unwrap().iter().find(|message| message["id"] == id).unwrap().clone()
}

/// Delivers a signed webhook of a field to a number.
async fn webhook(app: &TestApp, number: &str, field: &str, mut value: Value) {
    value["messaging_product"] = json!("whatsapp");
    value["metadata"] = json!({"display_phone_number": "15550001111", "phone_number_id": number});
    let changes = json!([{"field": field, "value": value}]);
    let entry = json!([{"id": emulator::WABA_ID, "changes": changes}]);
    let body = json!({"object": "whatsapp_business_account", "entry": entry}).to_string().into_bytes();
    let signed = signature::sign(&SecretString::from(emulator::APP_SECRET), &body);
    let request = app.request(Method::POST, "/webhooks/whatsapp").header(signature::HEADER, signed);
    assert_eq!(request.body(body).send().await.unwrap().status(), 200);
}
