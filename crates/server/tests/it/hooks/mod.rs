//! Outgoing webhooks against a real receiver: payloads, signatures, retries, isolation, replay.

mod delivery;
mod endpoints;
mod isolation;
mod payloads;
mod project_events;

use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;
use testkit::{ANA, OWN_NUMBER_ID, Request, Service, TestApp};

const KEY: &str = "s3cr3t-value";

/// An application that may reach this machine, with a number of its own. Returns the config's id.
async fn with_number() -> (TestApp, String) {
    let app = TestApp::with(true, |config| config.egress_allow = vec!["127.0.0.1/32".parse().unwrap()]).await;
    let (_, config) = app.own_number().await;
    (app, config)
}

/// Subscribes a URL to events of a number. Returns the webhook's id.
async fn subscribe(app: &TestApp, config: &str, url: &str, events: &[&str], more: Value) -> String {
    let mut webhook = json!({"url": url, "secret_key": KEY, "events": events});
    webhook.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let path = format!("/api/v1/whatsapp_configs/{config}/whatsapp_webhooks");
    app.post(&path, json!({"whatsapp_webhook": webhook})).await.id()
}

/// Subscribes a URL to events of the project. Returns the endpoint's id.
async fn subscribe_project(app: &TestApp, url: &str, events: &[&str], more: Value) -> String {
    let mut endpoint = json!({"url": url, "secret_key": KEY, "events": events});
    endpoint.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    app.post("/api/v1/webhook_endpoints", json!({"webhook_endpoint": endpoint})).await.id()
}

/// Ana writes to the project's own number. The webhook of Meta is stored, nothing more.
async fn ana_writes(app: &TestApp, text: &str) {
    let body = json!({"from": ANA, "text": text, "phone_number_id": OWN_NUMBER_ID});
    app.emulator_call(Method::POST, "/inbound", Some(body)).await;
    app.emulator.quiesce(std::time::Duration::from_secs(10)).await;
}

fn header<'a>(request: &'a Request, name: &str) -> &'a str {
    request.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn hmac(key: &str, bytes: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(bytes);
    mac.finalize().into_bytes().to_vec()
}

/// Checks both signatures over the raw bytes.
fn assert_signed(request: &Request, key: &str) {
    let hex: String = hmac(key, &request.raw).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(header(request, "x-webhook-signature"), hex);
    assert!(signs(request, key), "{}", header(request, "webhook-signature"));
}

/// True if one of the signatures of Standard Webhooks is of this key.
fn signs(request: &Request, key: &str) -> bool {
    use base64::Engine as _;
    let (id, time) = (header(request, "webhook-id"), header(request, "webhook-timestamp"));
    let signed = [format!("{id}.{time}.").as_bytes(), &request.raw].concat();
    let wanted = format!("v1,{}", base64::engine::general_purpose::STANDARD.encode(hmac(key, &signed)));
    header(request, "webhook-signature").split(' ').any(|signature| signature == wanted)
}

async fn receiver() -> Service {
    Service::start(|_| json!({"ok": true})).await
}
