use std::time::Duration;

use serde_json::json;

use crate::harness::{ANA, Bench, text_to};

async fn transport_error(bench: &Bench) -> reqwest::Error {
    let url = format!("{}/v25.0/100000000000001/messages", bench.emulator.url());
    let mut message = text_to(ANA, "x");
    message["biz_opaque_callback_data"] = json!("send-1");
    let request = bench.http.post(url).bearer_auth(emulator::ACCESS_TOKEN).json(&message);
    let error = request.send().await.expect_err("an answer came");
    assert!(error.is_request() && error.status().is_none(), "{error:?}");
    error
}

#[tokio::test]
async fn an_answer_that_is_lost_leaves_one_message_and_statuses_that_name_it() {
    let bench = Bench::open().await;
    bench.fault(json!({"surface": "send"}), json!({"next": 1}), json!("accept_then_drop")).await;
    transport_error(&bench).await;
    assert_eq!(bench.sent_to("ana").await, ["x"]);
    bench.seconds(1).await;
    assert_eq!(bench.callback.statuses(), ["sent", "delivered"]);
    let received = bench.callback.received();
    assert!(received.iter().all(|r| r.value()["statuses"][0]["biz_opaque_callback_data"] == "send-1"));
    let request = bench.get("/requests").await["requests"][0].clone();
    assert_eq!((&request["cut"], &request["status"]), (&json!(true), &json!(null)));
    assert_eq!(bench.text(ANA, "y").await.status, 200, "the rule is used up");
}

#[tokio::test]
async fn a_call_that_is_processed_and_answered_with_an_error_leaves_one_message_and_its_statuses() {
    let bench = Bench::open().await;
    bench.fault(json!({"surface": "send"}), json!({"next": 1}), json!({"accept_then_error": "server_500"})).await;
    assert_eq!(bench.text(ANA, "x").await.status, 500);
    assert_eq!(bench.sent_to("ana").await, ["x"]);
    bench.seconds(1).await;
    assert_eq!(bench.callback.statuses(), ["sent", "delivered"]);
}

#[tokio::test]
async fn a_dropped_call_was_never_processed() {
    let bench = Bench::open().await;
    bench.fault(json!({"surface": "send"}), json!({"next": 1}), json!("drop")).await;
    transport_error(&bench).await;
    bench.seconds(10).await;
    assert!(bench.sent_to("ana").await.is_empty());
    assert!(bench.callback.statuses().is_empty());
}

#[tokio::test]
async fn a_hanging_call_ends_without_an_answer_and_was_never_processed() {
    let bench = Bench::open().await;
    bench.fault(json!({"surface": "any_graph"}), json!({"next": 1}), json!({"hang": {"ms": 60_000}})).await;
    let clock = async {
        while bench.get("/state").await["pending_timers"] == json!(0) {}
        bench.seconds(60).await;
    };
    tokio::join!(transport_error(&bench), clock);
    assert!(bench.sent_to("ana").await.is_empty());
}

#[tokio::test]
async fn a_client_that_gives_up_on_a_hanging_call_sees_its_own_timeout() {
    let bench = Bench::open().await;
    bench.fault(json!({"surface": "send"}), json!({"next": 1}), json!({"hang": {"ms": 60_000}})).await;
    let url = format!("{}/v25.0/100000000000001/messages", bench.emulator.url());
    let request = bench.http.post(url).bearer_auth(emulator::ACCESS_TOKEN).json(&text_to(ANA, "x"));
    let error = request.timeout(Duration::from_millis(100)).send().await.unwrap_err();
    assert!(error.is_timeout());
}

#[tokio::test]
async fn shutting_down_ends_calls_that_hang() {
    let bench = Bench::open().await;
    bench.fault(json!({"surface": "send"}), json!({"next": 1}), json!({"hang": {"ms": 60_000}})).await;
    let url = bench.emulator.url();
    let request = bench.http.post(format!("{url}/v25.0/100000000000001/messages"));
    let hanging = tokio::spawn(request.bearer_auth(emulator::ACCESS_TOKEN).json(&text_to(ANA, "x")).send());
    while bench.get("/state").await["pending_timers"] == json!(0) {}
    tokio::time::timeout(Duration::from_secs(5), bench.emulator.shutdown()).await.unwrap();
    assert!(hanging.await.unwrap().is_err());
    assert!(bench.http.get(format!("{url}/_emulator/v1/health")).send().await.is_err());
}
