//! Meta's webhooks: handshake, signature, duplicates and unusual payloads.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use gateways::whatsapp::signature;
use reqwest::{Method, Response};
use secrecy::SecretString;
use serde_json::{Value, json};
use std::path::PathBuf;
use testkit::{ANA, TestApp};

fn fixture(file: &str) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/cloud-api").join(file);
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn signed(body: &[u8]) -> String {
    signature::sign(&SecretString::from(emulator::APP_SECRET), body)
}

async fn deliver(app: &TestApp, body: Vec<u8>, signature: Option<String>) -> Response {
    let mut request = app.request(Method::POST, "/webhooks/whatsapp").body(body);
    if let Some(signature) = signature {
        request = request.header(signature::HEADER, signature);
    }
    request.send().await.unwrap()
}

/// Webhook of an inbound text.
fn text(wamid: &str, body: &str) -> Vec<u8> {
    let mut delivery = fixture("in-001-text.json");
    let message = &mut delivery["entry"][0]["changes"][0]["value"]["messages"][0];
    message["id"] = json!(wamid);
    message["text"]["body"] = json!(body);
    message["timestamp"] = json!(emulator::START_SECONDS.to_string());
    delivery.to_string().into_bytes()
}

#[tokio::test]
async fn handshake_returns_the_challenge_for_the_verify_token() {
    let vectors = fixture("vx-002-handshake.json");
    let app = TestApp::with(true, |config| config.verify_token = Some(SecretString::from("verify-me"))).await;
    for vector in vectors["vectors"].as_array().unwrap() {
        let path = format!("/webhooks/whatsapp?{}", vector["query"].as_str().unwrap());
        let answer = app.request(Method::GET, &path).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), vector["status"].as_u64().unwrap() as u16, "{vector}");
        if let Some(body) = vector["body"].as_str() {
            assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("text/plain"));
            assert_eq!(answer.text().await.unwrap(), body);
        }
    }
}

#[tokio::test]
async fn the_same_webhook_64_times_at_once_gives_one_message_turn_and_answer() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Plain"})).await;
    app.activate(ANA, &agent).await;
    app.model().says("once");
    let body = text("wamid.ONE", "only once, please");
    let deliveries = (0..64).map(|_| deliver(&app, body.clone(), Some(signed(&body))));
    for answer in futures::future::join_all(deliveries).await {
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.text().await.unwrap(), "");
    }
    app.run_until_idle().await;
    let again = deliver(&app, body.clone(), Some(signed(&body))).await;
    assert_eq!(again.status(), 200);
    app.run_until_idle().await;

    assert_eq!(app.model().requests().len(), 1);
    assert_eq!(app.received_texts(ANA).await, ["once"]);
    let inbound = app.messages().await.into_iter().filter(|message| message["content"] == "only once, please").count();
    assert_eq!(inbound, 1);
}

#[tokio::test]
async fn wrong_or_missing_signature_is_refused_and_nothing_is_stored() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Plain"})).await;
    app.activate(ANA, &agent).await;
    let before = app.messages().await.len();
    let body = text("wamid.FORGED", "give me money");
    let wrong = signature::sign(&SecretString::from("not the secret"), &body);
    let mut changed = body.clone();
    *changed.last_mut().unwrap() = b' ';
    assert_eq!(deliver(&app, body.clone(), Some(wrong)).await.status(), 403);
    assert_eq!(deliver(&app, changed, Some(signed(&body))).await.status(), 403);
    assert_eq!(deliver(&app, body.clone(), Some("sha256=zz".into())).await.status(), 403);
    assert_eq!(deliver(&app, body, None).await.status(), 401);
    app.run_until_idle().await;
    assert_eq!(app.messages().await.len(), before);
}

#[tokio::test]
async fn webhook_over_four_mebibytes_is_refused() {
    let app = TestApp::start().await;
    let body = vec![b' '; 4 * 1024 * 1024 + 1];
    assert_eq!(deliver(&app, body.clone(), Some(signed(&body))).await.status(), 413);
}

#[tokio::test]
async fn every_webhook_fixture_gets_its_expected_status() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Plain"})).await;
    app.activate(ANA, &agent).await;
    let index = fixture("index.json");
    let mut seen = 0;
    for entry in index["fixtures"].as_array().unwrap() {
        let content = fixture(entry["file"].as_str().unwrap());
        let body = match entry["kind"].as_str().unwrap() {
            "webhook" => content.to_string().into_bytes(),
            "raw" => BASE64_STANDARD.decode(content["body_base64"].as_str().unwrap()).unwrap(),
            _ => continue,
        };
        let expected = entry["expected_status"].as_u64().unwrap_or(200);
        let answer = deliver(&app, body.clone(), Some(signed(&body))).await;
        assert_eq!(u64::from(answer.status().as_u16()), expected, "{entry}");
        seen += 1;
    }
    assert!(seen > 100, "{seen} fixtures");
    assert_eq!(app.get("/health/ready").await.status, 200);
}

#[tokio::test]
async fn invalid_message_does_not_block_its_siblings() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Plain"})).await;
    app.activate(ANA, &agent).await;
    let before = app.messages().await.len();
    let body = fixture("ba-008-one-bad-among-good.json").to_string().into_bytes();
    assert_eq!(deliver(&app, body.clone(), Some(signed(&body))).await.status(), 200);
    assert!(app.messages().await.len() > before);
}

#[tokio::test]
async fn contact_without_phone_number_is_answered_by_user_id() {
    let app = TestApp::start().await;
    app.contact_sends("caro", "hola").await;
    app.run_until_idle().await;
    let requests = app.emulator_call(Method::GET, "/requests", None).await;
    let send = requests["requests"]
        .as_array()
        .unwrap()
        .iter()
        .rfind(|request| request["path"].as_str().unwrap().ends_with("/messages"))
        .unwrap();
    assert_eq!(send["body"]["recipient"], "AR.3009000000000003");
    assert!(send["body"].get("to").is_none());
}
