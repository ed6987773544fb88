use emulator::{ACCESS_TOKEN, PHONE_NUMBER_ID};
use reqwest::Method;
use serde_json::json;

use crate::{
    harness::{ANA, Bench, fixture, text_to},
    callback::Callback,
};

#[tokio::test]
async fn nodes_are_answered_as_the_fixtures_say() {
    let bench = Bench::start().await;
    for name in ["ex-028-phone-number", "ex-030-debug-token"] {
        let example = fixture(name);
        let path = example["request"]["path"].as_str().unwrap().strip_prefix("/v25.0").unwrap();
        let answer = bench.read(path).await;
        assert_eq!((answer.status, answer.json()), (200, example["response"]["body"].clone()), "{name}");
    }
    let list = bench.read("/200000000000001/phone_numbers?fields=id").await.json();
    assert_eq!(list["data"], json!([{"id": PHONE_NUMBER_ID}]));
    let account = bench.read("/200000000000001?fields=id,health_status").await.json();
    assert_eq!(account["health_status"]["can_send_message"], "AVAILABLE");
    assert_eq!(bench.read("/999").await.code(), 100);
    assert_eq!(bench.read("/200000000000001/flows").await.json(), json!({"data": []}));
}

#[tokio::test]
async fn a_token_may_do_what_its_scopes_say_until_it_expires() {
    let bench = Bench::open().await;
    let send = format!("/{PHONE_NUMBER_ID}/messages");
    let text = text_to(ANA, "x");
    let only = json!({"token": "EAAMANAGE", "scopes": ["whatsapp_business_management"]});
    bench.post("/tokens", only).await;
    let refused = bench.ask(Method::POST, &send, "EAAMANAGE", Some(&text)).await;
    assert_eq!((refused.status, refused.code()), (403, 200));
    assert_eq!(bench.ask(Method::GET, &format!("/{PHONE_NUMBER_ID}"), "EAAMANAGE", None).await.status, 200);
    let soon = bench.post("/tokens", json!({"expires_in": 60})).await.json()["token"].as_str().unwrap().to_owned();
    assert_eq!(bench.ask(Method::POST, &send, &soon, Some(&text)).await.status, 200);
    bench.seconds(60).await;
    let expired = bench.ask(Method::POST, &send, &soon, Some(&text)).await;
    assert_eq!((expired.status, expired.code()), (401, 190));
    assert_eq!(expired.json()["error"]["error_subcode"], 463);
    let info = bench.read(&format!("/debug_token?input_token={soon}")).await.json();
    assert_eq!(info["data"]["is_valid"], false);
    bench.post(&format!("/tokens/{ACCESS_TOKEN}/expire"), json!({})).await;
    assert_eq!(bench.send(&text).await.code(), 190);
    bench.post("/tokens", json!({ "token": ACCESS_TOKEN })).await;
    assert_eq!(bench.send(&text).await.status, 200);
}

#[tokio::test]
async fn a_number_that_is_not_connected_sends_nothing_until_it_is_registered() {
    let bench = Bench::open().await;
    let patch = json!({"status": "DISCONNECTED", "quality_rating": "RED", "can_send_message": "LIMITED"});
    bench.call(Method::PATCH, &format!("/phone_numbers/{PHONE_NUMBER_ID}"), patch).await;
    assert_eq!(bench.callback.received()[0].value()["event"], "FLAGGED");
    assert_eq!(bench.text(ANA, "x").await.code(), 133_010);
    let health = bench.read(&format!("/{PHONE_NUMBER_ID}?fields=quality_rating,health_status")).await.json();
    assert_eq!(
        (&health["quality_rating"], &health["health_status"]["can_send_message"]),
        (&json!("RED"), &json!("LIMITED"))
    );
    let pin = fixture("er-017-133005-pin");
    let wrong = bench.graph(pin["request"]["path"].as_str().unwrap(), &pin["request"]["json"]).await;
    assert_eq!((wrong.status, wrong.code()), (400, 133_005));
    let right = json!({"messaging_product": "whatsapp", "pin": "123456"});
    bench.graph(&format!("/v25.0/{PHONE_NUMBER_ID}/register"), &right).await;
    assert_eq!(bench.text(ANA, "x").await.status, 200);
}

#[tokio::test]
async fn a_numbers_callback_wins_over_its_accounts_and_that_over_the_apps() {
    let bench = Bench::start().await;
    let (of_account, of_number) = (Callback::start().await, Callback::start().await);
    let set = |url: &str| json!({"override_callback_uri": url, "verify_token": emulator::VERIFY_TOKEN});
    let subscribe = "/200000000000001/subscribed_apps";
    let answer = bench.ask(Method::POST, subscribe, ACCESS_TOKEN, Some(&set(&of_account.url))).await;
    assert_eq!(answer.json(), json!({"success": true}));
    let number = format!("/{PHONE_NUMBER_ID}");
    let own = json!({"webhook_configuration": set(&of_number.url)});
    bench.ask(Method::POST, &number, ACCESS_TOKEN, Some(&own)).await;
    bench.says("ana", "one").await;
    let node = bench.read(&format!("{number}?fields=webhook_configuration")).await.json();
    assert_eq!(node["webhook_configuration"]["phone_number"], of_number.url);
    let none = json!({"webhook_configuration": {"override_callback_uri": ""}});
    bench.ask(Method::POST, &number, ACCESS_TOKEN, Some(&none)).await;
    bench.says("ana", "two").await;
    let counts = [of_number.received().len(), of_account.received().len(), bench.callback.received().len()];
    assert_eq!(counts, [1, 1, 0]);
    of_number.does_not_echo();
    let refused = bench.ask(Method::POST, &number, ACCESS_TOKEN, Some(&own)).await;
    assert_eq!((refused.status, refused.code()), (400, 2200));
    let remote = json!({"webhook_configuration": set("http://example.com/")});
    assert_eq!(bench.ask(Method::POST, &number, ACCESS_TOKEN, Some(&remote)).await.code(), 2200);
}

#[tokio::test]
async fn who_ends_the_subscription_gets_no_webhooks() {
    let bench = Bench::start().await;
    let edge = "/200000000000001/subscribed_apps";
    assert_eq!(bench.read(edge).await.json()["data"], json!([]));
    bench.ask(Method::POST, edge, ACCESS_TOKEN, None).await;
    let app = bench.read(edge).await.json()["data"][0]["whatsapp_business_api_data"]["id"].clone();
    assert_eq!(app, emulator::APP_ID);
    bench.ask(Method::DELETE, edge, ACCESS_TOKEN, None).await;
    bench.says("ana", "hi").await;
    assert!(bench.callback.received().is_empty());
    bench.ask(Method::POST, edge, ACCESS_TOKEN, None).await;
    bench.says("ana", "hi").await;
    assert_eq!(bench.callback.received().len(), 1);
}

#[tokio::test]
async fn a_profile_is_kept_and_an_account_has_news() {
    let bench = Bench::start().await;
    let edge = format!("/{PHONE_NUMBER_ID}/whatsapp_business_profile");
    let about = json!({"messaging_product": "whatsapp", "about": "We bake."});
    bench.ask(Method::POST, &edge, ACCESS_TOKEN, Some(&about)).await;
    assert_eq!(bench.read(&edge).await.json()["data"][0]["about"], "We bake.");
    bench.post("/account_update", json!({"event": "DISABLED_UPDATE"})).await;
    let change = bench.callback.received()[0].json()["entry"][0]["changes"][0].clone();
    assert_eq!(change, json!({"field": "account_update", "value": {"event": "DISABLED_UPDATE"}}));
}
