use std::time::Duration;

use emulator::{ClockMode, Config};
use reqwest::Method;
use serde_json::json;

use crate::{
    callback::Callback,
    harness::{ANA, Answer, Harness, http},
};

#[tokio::test]
async fn health_and_state_describe_the_emulator() {
    let harness = Harness::start().await;
    assert_eq!(harness.get("/health").await, json!({"status": "ok"}));
    let state = harness.get("/state").await;
    assert_eq!(
        (&state["seed"], &state["clock"], &state["now"]),
        (&json!(1), &json!("manual"), &json!(emulator::START_SECONDS * 1000))
    );
    assert_eq!(state["phone_numbers"][0]["id"], emulator::PHONE_NUMBER_ID);
    let keys: Vec<&str> = state["users"].as_array().unwrap().iter().map(|u| u["key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["ana", "bob", "caro"]);
    assert_eq!(harness.emulator.url(), format!("http://127.0.0.1:{}", harness.emulator.port()));
}

#[tokio::test]
async fn all_errors_have_the_control_error_shape() {
    let harness = Harness::start().await;
    let cases = [
        (Method::GET, "/nothing", json!({}), 404, "not_found"),
        (Method::PUT, "/inbound", json!({}), 400, "bad_request"),
        (Method::POST, "/inbound", json!({"from": "ana"}), 400, "bad_request"),
        (Method::POST, "/inbound", json!({"text": "x"}), 400, "bad_request"),
        (Method::POST, "/inbound", json!({"from": "unknown", "text": "x"}), 404, "not_found"),
        (Method::POST, "/inbound", json!({"from": "ana", "text": "x", "phone_number_id": "1"}), 404, "not_found"),
        (Method::POST, "/inbound", json!({"from": "ana", "text": "x", "forwaded": true}), 400, "bad_request"),
        (Method::POST, "/inbound", json!({"from": "ana", "text": "x", "timestamp": "now"}), 400, "bad_request"),
        (Method::PUT, "/limits", json!({"pair": true}), 400, "bad_request"),
        (Method::PUT, "/users/dan", json!({"name": "Dan"}), 400, "bad_request"),
        (Method::PUT, "/users/dan", json!({"wa_id": ANA}), 409, "conflict"),
        (Method::GET, "/users/dan", json!({}), 404, "not_found"),
        (Method::GET, "/chats/100000000000001/dan", json!({}), 404, "not_found"),
        (Method::GET, "/chats/1/ana", json!({}), 404, "not_found"),
        (Method::GET, "/requests?since=x", json!({}), 400, "bad_request"),
        (Method::POST, "/clock", json!({"set": 5}), 400, "bad_request"),
        (Method::POST, "/clock", json!({"mode": "fast"}), 400, "bad_request"),
        (Method::POST, "/reset", json!({"world": {}}), 400, "bad_request"),
    ];
    for (method, path, body, status, code) in cases {
        let answer = harness.call(method, path, body.clone()).await;
        assert_eq!((answer.status, &answer.json()["error"]["code"]), (status, &json!(code)), "{path} {body}");
        assert!(answer.json()["error"]["message"].is_string());
    }
    let huge = harness.post("/webhooks/raw", json!({"body": "x".repeat(5 << 20)})).await;
    assert_eq!((huge.status, &huge.json()["error"]["code"]), (400, &json!("bad_request")));
}

#[tokio::test]
async fn clock_can_advance_be_set_or_change_mode() {
    let harness = Harness::open().await;
    harness.text(ANA, "x").await.wamid();
    let start = emulator::START_SECONDS * 1000;
    // A status and its webhook are two timers.
    let moved = harness.post("/clock", json!({"advance_ms": 500})).await.json();
    assert_eq!(moved, json!({"now": start + 500, "fired": 2}));
    let moved = harness.post("/clock", json!({"set": start + 900})).await.json();
    assert_eq!(moved, json!({"now": start + 900, "fired": 2}));
    assert_eq!(harness.get("/clock").await, json!({"now": start + 900, "mode": "manual"}));
    let moved = harness.post("/clock", json!({"mode": {"scaled": 60}})).await.json();
    assert!(moved["now"].as_u64().unwrap() >= start + 900);
    assert_eq!(harness.get("/clock").await["mode"], json!({"scaled": 60}));
}

#[tokio::test]
async fn running_clock_delivers_statuses_without_control_calls() {
    for mode in [ClockMode::Scaled(20), ClockMode::Real] {
        let callback = Callback::start().await;
        let config = Config { clock: mode, callback_url: Some(callback.url.clone()), ..Config::default() };
        let harness = Harness { emulator: emulator::start(config).await.unwrap(), callback, http: http() };
        harness.contact_sends("ana", "hi").await;
        harness.text(ANA, "x").await.wamid();
        let waiting = async { while harness.get("/state").await["pending_timers"] != json!(0) {} };
        tokio::time::timeout(Duration::from_secs(10), waiting).await.unwrap();
        harness.quiet().await;
        assert_eq!(harness.callback.statuses(), ["sent", "delivered"]);
    }
}

#[tokio::test]
async fn quiesce_waits_for_open_posts_but_not_for_future_timers() {
    let callback = Callback::start().await;
    // A running clock does not wait for the callback, so the post is still open.
    let config = Config { clock: ClockMode::Real, callback_url: Some(callback.url.clone()), ..Config::default() };
    let harness = Harness { emulator: emulator::start(config).await.unwrap(), callback, http: http() };
    harness
        .fault(json!({"surface": "webhook"}), json!({"next": 1}), json!({"duplicate": {"n": 2, "gap_ms": 3_600_000}}))
        .await;
    harness.callback.meets(2);
    harness.contact_sends("ana", "waits for a second post").await;
    let busy = harness.post("/quiesce", json!({"timeout_ms": 50})).await.json();
    assert_eq!(busy, json!({"pending_timers": 1, "in_flight": 1}));
    harness.contact_sends("bob", "the second post").await;
    let quiet = harness.post("/quiesce", json!({"timeout_ms": 10_000})).await.json();
    assert_eq!(quiet, json!({"pending_timers": 1, "in_flight": 0}));
}

#[tokio::test]
async fn graph_calls_are_logged_with_masked_tokens() {
    let harness = Harness::open().await;
    harness.text(ANA, "one").await.wamid();
    let url = format!("{}/v25.0/1/messages", harness.emulator.url());
    let refused = Answer::read(harness.http.post(url).bearer_auth("EAAOTHERSECRET").send().await.unwrap()).await;
    assert_eq!(refused.code(), 190);
    let log = harness.get("/requests?since=0").await["requests"].clone();
    assert_eq!(log[0]["body"]["text"]["body"], "one");
    assert_eq!((&log[0]["status"], &log[0]["path"]), (&json!(200), &json!("/v25.0/100000000000001/messages")));
    assert_eq!((&log[1]["error_code"], &log[1]["token"]), (&json!(190), &json!("EAAO…")));
    assert!(!log.to_string().contains("SECRET") && !log.to_string().contains(emulator::ACCESS_TOKEN));
    assert_eq!(harness.get("/requests?since=1").await["requests"].as_array().unwrap().len(), 1);
    assert_eq!(harness.get("/requests?path=100000000000001").await["requests"].as_array().unwrap().len(), 1);
}
