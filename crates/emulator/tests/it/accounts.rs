use emulator::{ACCESS_TOKEN, PHONE_NUMBER_ID};
use reqwest::Method;
use serde_json::json;

use crate::{
    callback::Callback,
    harness::{ANA, Harness, fixture, text_to},
};

#[tokio::test]
async fn graph_nodes_match_fixtures() {
    let harness = Harness::start().await;
    for name in ["ex-028-phone-number", "ex-030-debug-token"] {
        let example = fixture(name);
        let path = example["request"]["path"].as_str().unwrap().strip_prefix("/v25.0").unwrap();
        let answer = harness.read(path).await;
        assert_eq!((answer.status, answer.json()), (200, example["response"]["body"].clone()), "{name}");
    }
    let list = harness.read("/200000000000001/phone_numbers?fields=id").await.json();
    assert_eq!(list["data"], json!([{"id": PHONE_NUMBER_ID}]));
    let account = harness.read("/200000000000001?fields=id,health_status").await.json();
    assert_eq!(account["health_status"]["can_send_message"], "AVAILABLE");
    assert_eq!(harness.read("/999").await.code(), 100);
    assert_eq!(harness.read("/200000000000001/flows").await.json(), json!({"data": []}));
}

#[tokio::test]
async fn token_is_limited_to_its_scopes_and_expiry() {
    let harness = Harness::open().await;
    let send = format!("/{PHONE_NUMBER_ID}/messages");
    let text = text_to(ANA, "x");
    let only = json!({"token": "EAAMANAGE", "scopes": ["whatsapp_business_management"]});
    harness.post("/tokens", only).await;
    let refused = harness.ask(Method::POST, &send, "EAAMANAGE", Some(&text)).await;
    assert_eq!((refused.status, refused.code()), (403, 200));
    assert_eq!(harness.ask(Method::GET, &format!("/{PHONE_NUMBER_ID}"), "EAAMANAGE", None).await.status, 200);
    let soon = harness.post("/tokens", json!({"expires_in": 60})).await.json()["token"].as_str().unwrap().to_owned();
    assert_eq!(harness.ask(Method::POST, &send, &soon, Some(&text)).await.status, 200);
    harness.seconds(60).await;
    let expired = harness.ask(Method::POST, &send, &soon, Some(&text)).await;
    assert_eq!((expired.status, expired.code()), (401, 190));
    assert_eq!(expired.json()["error"]["error_subcode"], 463);
    let info = harness.read(&format!("/debug_token?input_token={soon}")).await.json();
    assert_eq!(info["data"]["is_valid"], false);
    harness.post(&format!("/tokens/{ACCESS_TOKEN}/expire"), json!({})).await;
    assert_eq!(harness.send(&text).await.code(), 190);
    harness.post("/tokens", json!({ "token": ACCESS_TOKEN })).await;
    assert_eq!(harness.send(&text).await.status, 200);
}

#[tokio::test]
async fn disconnected_number_cannot_send_until_registered() {
    let harness = Harness::open().await;
    let patch = json!({"status": "DISCONNECTED", "quality_rating": "RED", "can_send_message": "LIMITED"});
    harness.call(Method::PATCH, &format!("/phone_numbers/{PHONE_NUMBER_ID}"), patch).await;
    assert_eq!(harness.callback.received()[0].value()["event"], "FLAGGED");
    assert_eq!(harness.text(ANA, "x").await.code(), 133_010);
    let health = harness.read(&format!("/{PHONE_NUMBER_ID}?fields=quality_rating,health_status")).await.json();
    assert_eq!(
        (&health["quality_rating"], &health["health_status"]["can_send_message"]),
        (&json!("RED"), &json!("LIMITED"))
    );
    let pin = fixture("er-017-133005-pin");
    let wrong = harness.graph(pin["request"]["path"].as_str().unwrap(), &pin["request"]["json"]).await;
    assert_eq!((wrong.status, wrong.code()), (400, 133_005));
    let right = json!({"messaging_product": "whatsapp", "pin": "123456"});
    harness.graph(&format!("/v25.0/{PHONE_NUMBER_ID}/register"), &right).await;
    assert_eq!(harness.text(ANA, "x").await.status, 200);
}

#[tokio::test]
async fn number_callback_overrides_account_callback_and_app_callback() {
    let harness = Harness::start().await;
    let (of_account, of_number) = (Callback::start().await, Callback::start().await);
    let set = |url: &str| json!({"override_callback_uri": url, "verify_token": emulator::VERIFY_TOKEN});
    let subscribe = "/200000000000001/subscribed_apps";
    let answer = harness.ask(Method::POST, subscribe, ACCESS_TOKEN, Some(&set(&of_account.url))).await;
    assert_eq!(answer.json(), json!({"success": true}));
    let number = format!("/{PHONE_NUMBER_ID}");
    let own = json!({"webhook_configuration": set(&of_number.url)});
    harness.ask(Method::POST, &number, ACCESS_TOKEN, Some(&own)).await;
    harness.contact_sends("ana", "one").await;
    let node = harness.read(&format!("{number}?fields=webhook_configuration")).await.json();
    assert_eq!(node["webhook_configuration"]["phone_number"], of_number.url);
    let none = json!({"webhook_configuration": {"override_callback_uri": ""}});
    harness.ask(Method::POST, &number, ACCESS_TOKEN, Some(&none)).await;
    harness.contact_sends("ana", "two").await;
    let counts = [of_number.received().len(), of_account.received().len(), harness.callback.received().len()];
    assert_eq!(counts, [1, 1, 0]);
    of_number.does_not_echo();
    let refused = harness.ask(Method::POST, &number, ACCESS_TOKEN, Some(&own)).await;
    assert_eq!((refused.status, refused.code()), (400, 2200));
    let remote = json!({"webhook_configuration": set("http://example.com/")});
    assert_eq!(harness.ask(Method::POST, &number, ACCESS_TOKEN, Some(&remote)).await.code(), 2200);
}

#[tokio::test]
async fn unsubscribed_app_receives_no_webhooks() {
    let harness = Harness::start().await;
    let edge = "/200000000000001/subscribed_apps";
    assert_eq!(harness.read(edge).await.json()["data"], json!([]));
    harness.ask(Method::POST, edge, ACCESS_TOKEN, None).await;
    let app = harness.read(edge).await.json()["data"][0]["whatsapp_business_api_data"]["id"].clone();
    assert_eq!(app, emulator::APP_ID);
    harness.ask(Method::DELETE, edge, ACCESS_TOKEN, None).await;
    harness.contact_sends("ana", "hi").await;
    assert!(harness.callback.received().is_empty());
    harness.ask(Method::POST, edge, ACCESS_TOKEN, None).await;
    harness.contact_sends("ana", "hi").await;
    assert_eq!(harness.callback.received().len(), 1);
}

#[tokio::test]
async fn profile_is_stored_and_account_update_sends_webhook() {
    let harness = Harness::start().await;
    let edge = format!("/{PHONE_NUMBER_ID}/whatsapp_business_profile");
    let about = json!({"messaging_product": "whatsapp", "about": "We bake."});
    harness.ask(Method::POST, &edge, ACCESS_TOKEN, Some(&about)).await;
    assert_eq!(harness.read(&edge).await.json()["data"][0]["about"], "We bake.");
    harness.post("/account_update", json!({"event": "DISABLED_UPDATE"})).await;
    let change = harness.callback.received()[0].json()["entry"][0]["changes"][0].clone();
    assert_eq!(change, json!({"field": "account_update", "value": {"event": "DISABLED_UPDATE"}}));
}
