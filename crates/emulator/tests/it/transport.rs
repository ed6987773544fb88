use std::time::Duration;

use serde_json::json;

use crate::harness::{ANA, Harness, text_to};

async fn transport_error(harness: &Harness) -> reqwest::Error {
    let url = format!("{}/v25.0/100000000000001/messages", harness.emulator.url());
    let mut message = text_to(ANA, "x");
    message["biz_opaque_callback_data"] = json!("send-1");
    let request = harness.http.post(url).bearer_auth(emulator::ACCESS_TOKEN).json(&message);
    let error = request.send().await.expect_err("an answer came");
    assert!(error.is_request() && error.status().is_none(), "{error:?}");
    error
}

#[tokio::test]
async fn lost_answer_leaves_one_message_with_statuses() {
    let harness = Harness::open().await;
    harness.fault(json!({"surface": "send"}), json!({"next": 1}), json!("accept_then_drop")).await;
    transport_error(&harness).await;
    assert_eq!(harness.sent_to("ana").await, ["x"]);
    harness.seconds(1).await;
    assert_eq!(harness.callback.statuses(), ["sent", "delivered"]);
    let received = harness.callback.received();
    assert!(received.iter().all(|r| r.value()["statuses"][0]["biz_opaque_callback_data"] == "send-1"));
    let request = harness.get("/requests").await["requests"][0].clone();
    assert_eq!((&request["cut"], &request["status"]), (&json!(true), &json!(null)));
    assert_eq!(harness.text(ANA, "y").await.status, 200, "the rule is used up");
}

#[tokio::test]
async fn error_after_acceptance_leaves_one_message_with_statuses() {
    let harness = Harness::open().await;
    harness.fault(json!({"surface": "send"}), json!({"next": 1}), json!({"accept_then_error": "server_500"})).await;
    assert_eq!(harness.text(ANA, "x").await.status, 500);
    assert_eq!(harness.sent_to("ana").await, ["x"]);
    harness.seconds(1).await;
    assert_eq!(harness.callback.statuses(), ["sent", "delivered"]);
}

#[tokio::test]
async fn dropped_call_is_not_processed() {
    let harness = Harness::open().await;
    harness.fault(json!({"surface": "send"}), json!({"next": 1}), json!("drop")).await;
    transport_error(&harness).await;
    harness.seconds(10).await;
    assert!(harness.sent_to("ana").await.is_empty());
    assert!(harness.callback.statuses().is_empty());
}

#[tokio::test]
async fn hanging_call_ends_without_answer_and_is_not_processed() {
    let harness = Harness::open().await;
    harness.fault(json!({"surface": "any_graph"}), json!({"next": 1}), json!({"hang": {"ms": 60_000}})).await;
    let clock = async {
        while harness.get("/state").await["pending_timers"] == json!(0) {}
        harness.seconds(60).await;
    };
    tokio::join!(transport_error(&harness), clock);
    assert!(harness.sent_to("ana").await.is_empty());
}

#[tokio::test]
async fn client_timeout_ends_hanging_call() {
    let harness = Harness::open().await;
    harness.fault(json!({"surface": "send"}), json!({"next": 1}), json!({"hang": {"ms": 60_000}})).await;
    let url = format!("{}/v25.0/100000000000001/messages", harness.emulator.url());
    let request = harness.http.post(url).bearer_auth(emulator::ACCESS_TOKEN).json(&text_to(ANA, "x"));
    let error = request.timeout(Duration::from_millis(100)).send().await.unwrap_err();
    assert!(error.is_timeout());
}

#[tokio::test]
async fn shutdown_ends_hanging_calls() {
    let harness = Harness::open().await;
    harness.fault(json!({"surface": "send"}), json!({"next": 1}), json!({"hang": {"ms": 60_000}})).await;
    let url = harness.emulator.url();
    let request = harness.http.post(format!("{url}/v25.0/100000000000001/messages"));
    let hanging = tokio::spawn(request.bearer_auth(emulator::ACCESS_TOKEN).json(&text_to(ANA, "x")).send());
    while harness.get("/state").await["pending_timers"] == json!(0) {}
    tokio::time::timeout(Duration::from_secs(5), harness.emulator.shutdown()).await.unwrap();
    assert!(hanging.await.unwrap().is_err());
    assert!(harness.http.get(format!("{url}/_emulator/v1/health")).send().await.is_err());
}
