use serde_json::{Value, json};

use crate::harness::{ANA, BOB, Bench, HOUR, blank, fixture, text_to};

/// The only differences allowed between our webhook and an example.
const VARIABLE: &[&str] = &["id", "timestamp"];

fn same_shape(received: &Value, example: &str) {
    let (mut received, mut expected) = (received.clone(), fixture(example));
    assert_eq!(received["entry"][0]["id"], expected["entry"][0]["id"]);
    blank(&mut received, VARIABLE);
    blank(&mut expected, VARIABLE);
    assert_eq!(received, expected, "{example}");
}

#[tokio::test]
async fn statuses_have_the_shape_of_the_fixtures_and_their_times() {
    let bench = Bench::open().await;
    bench.put("/users/ana", json!({"auto_read_ms": 2000})).await;
    let id = bench.text(ANA, "x").await.wamid();
    bench.emulator.advance(199).await;
    assert!(bench.callback.statuses().is_empty());
    bench.emulator.advance(1).await;
    assert_eq!(bench.callback.statuses(), ["sent"]);
    bench.emulator.advance(599).await;
    assert_eq!(bench.callback.statuses().len(), 1);
    bench.emulator.advance(2001).await;
    assert_eq!(bench.callback.statuses(), ["sent", "delivered", "read"]);
    let received = bench.callback.received();
    same_shape(&received[0].json(), "st-001-sent");
    same_shape(&received[2].json(), "st-003-read");
    let times: Vec<String> =
        received.iter().map(|r| r.value()["statuses"][0]["timestamp"].as_str().unwrap().to_owned()).collect();
    assert_eq!(times, ["1790000000", "1790000000", "1790000002"]);
    assert!(received.iter().all(|r| r.value()["statuses"][0]["id"] == json!(id)));
}

#[tokio::test]
async fn opaque_data_comes_back_in_every_status() {
    let bench = Bench::open().await;
    let mut message = text_to(ANA, "x");
    message["biz_opaque_callback_data"] = json!("run:7f3c/step:2");
    bench.send(&message).await;
    bench.seconds(1).await;
    let received = bench.callback.received();
    assert_eq!(received.len(), 2);
    same_shape(&received[0].json(), "st-012-opaque");
    assert_eq!(received[1].value()["statuses"][0]["biz_opaque_callback_data"], "run:7f3c/step:2");
}

#[tokio::test]
async fn a_silent_persons_window_closes_after_24_hours_and_a_message_opens_it() {
    let bench = Bench::open().await;
    bench.emulator.advance(24 * HOUR - 1000).await;
    bench.text(ANA, "in time").await.wamid();
    bench.seconds(2).await;
    assert_eq!(bench.callback.statuses(), ["sent", "delivered"]);
    bench.callback.forget();
    bench.text(BOB, "too late").await.wamid();
    bench.seconds(1).await;
    assert_eq!(bench.callback.statuses(), ["failed"]);
    let failed = bench.callback.received()[0].value()["statuses"][0].clone();
    let expected = fixture("st-005-failed-131047")["entry"][0]["changes"][0]["value"]["statuses"][0].clone();
    assert_eq!(failed["errors"], expected["errors"]);
    assert!(failed.get("pricing").is_none());
    bench.says("bob", "hello again").await;
    bench.callback.forget();
    bench.seconds(10).await;
    bench.text(BOB, "welcome").await.wamid();
    bench.seconds(1).await;
    assert_eq!(bench.callback.statuses(), ["sent", "delivered"]);
}

#[tokio::test]
async fn somebody_who_never_wrote_has_no_window_unless_windows_are_off() {
    let bench = Bench::start().await;
    bench.text(ANA, "x").await.wamid();
    bench.seconds(7).await;
    assert_eq!(bench.callback.statuses(), ["failed"]);
    bench.put("/limits", json!({"window": "off"})).await;
    bench.text(ANA, "x").await.wamid();
    bench.seconds(1).await;
    assert_eq!(bench.callback.statuses(), ["failed", "sent", "delivered"]);
}

#[tokio::test]
async fn a_number_without_an_account_is_accepted_and_fails_later_without_a_contact() {
    let bench = Bench::open().await;
    bench.text("15559998888", "x").await.wamid();
    bench.seconds(1).await;
    let value = bench.callback.received()[0].value();
    assert_eq!(value["statuses"][0]["errors"][0]["code"], 131_026);
    assert!(value.get("contacts").is_none());
}

#[tokio::test]
async fn delivered_waits_for_a_phone_that_is_offline() {
    let bench = Bench::open().await;
    bench.put("/users/ana", json!({"online": false})).await;
    bench.text(ANA, "x").await.wamid();
    bench.seconds(3600).await;
    assert_eq!(bench.callback.statuses(), ["sent"]);
    bench.put("/users/ana", json!({"online": true})).await;
    assert_eq!(bench.callback.statuses(), ["sent", "delivered"]);
}

#[tokio::test]
async fn a_phone_that_is_offline_for_more_than_30_days_never_gets_the_message() {
    let bench = Bench::open().await;
    bench.put("/users/ana", json!({"online": false})).await;
    bench.text(ANA, "x").await.wamid();
    bench.emulator.advance(30 * 24 * HOUR + 1000).await;
    bench.put("/users/ana", json!({"online": true})).await;
    bench.seconds(10).await;
    assert_eq!(bench.callback.statuses(), ["sent"]);
}

#[tokio::test]
async fn somebody_who_blocked_the_business_gets_nothing_and_it_only_learns_sent() {
    let bench = Bench::open().await;
    bench.put("/users/ana", json!({"blocked": true, "auto_read_ms": 1})).await;
    bench.text(ANA, "x").await.wamid();
    bench.seconds(3600).await;
    assert_eq!(bench.callback.statuses(), ["sent"]);
}

#[tokio::test]
async fn a_forced_status_is_reported_as_it_is() {
    let bench = Bench::open().await;
    let id = bench.text(ANA, "x").await.wamid();
    let body = json!({"status": "failed", "error_code": 131_049});
    let answer = bench.post(&format!("/messages/{id}/status"), body).await;
    assert_eq!(answer.json()["deliveries"].as_array().unwrap().len(), 1);
    let status = bench.callback.received()[0].value()["statuses"][0].clone();
    assert_eq!((&status["status"], &status["errors"][0]["code"]), (&json!("failed"), &json!(131_049)));
    let wrong = bench.post(&format!("/messages/{id}/status"), json!({"status": "failed"})).await;
    assert_eq!(wrong.status, 400);
    assert_eq!(bench.post("/messages/nope/status", json!({"status": "read"})).await.status, 404);
}
