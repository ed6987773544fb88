use serde_json::{Value, json};

use crate::harness::{ANA, BOB, HOUR, Harness, blank, fixture, text_to};

/// Fields that may differ between our webhook and an example.
const VARIABLE: &[&str] = &["id", "timestamp"];

fn same_shape(received: &Value, example: &str) {
    let (mut received, mut expected) = (received.clone(), fixture(example));
    assert_eq!(received["entry"][0]["id"], expected["entry"][0]["id"]);
    blank(&mut received, VARIABLE);
    blank(&mut expected, VARIABLE);
    assert_eq!(received, expected, "{example}");
}

#[tokio::test]
async fn statuses_match_fixtures_and_schedule() {
    let harness = Harness::open().await;
    harness.put("/users/ana", json!({"auto_read_ms": 2000})).await;
    let id = harness.text(ANA, "x").await.wamid();
    harness.emulator.advance(199).await;
    assert!(harness.callback.statuses().is_empty());
    harness.emulator.advance(1).await;
    assert_eq!(harness.callback.statuses(), ["sent"]);
    harness.emulator.advance(599).await;
    assert_eq!(harness.callback.statuses().len(), 1);
    harness.emulator.advance(2001).await;
    assert_eq!(harness.callback.statuses(), ["sent", "delivered", "read"]);
    let received = harness.callback.received();
    same_shape(&received[0].json(), "st-001-sent");
    same_shape(&received[2].json(), "st-003-read");
    let times: Vec<String> =
        received.iter().map(|r| r.value()["statuses"][0]["timestamp"].as_str().unwrap().to_owned()).collect();
    assert_eq!(times, ["1790000000", "1790000000", "1790000002"]);
    assert!(received.iter().all(|r| r.value()["statuses"][0]["id"] == json!(id)));
}

#[tokio::test]
async fn opaque_data_is_returned_in_every_status() {
    let harness = Harness::open().await;
    let mut message = text_to(ANA, "x");
    message["biz_opaque_callback_data"] = json!("run:7f3c/step:2");
    harness.send(&message).await;
    harness.seconds(1).await;
    let received = harness.callback.received();
    assert_eq!(received.len(), 2);
    same_shape(&received[0].json(), "st-012-opaque");
    assert_eq!(received[1].value()["statuses"][0]["biz_opaque_callback_data"], "run:7f3c/step:2");
}

#[tokio::test]
async fn window_closes_after_24_hours_and_a_message_opens_it() {
    let harness = Harness::open().await;
    harness.emulator.advance(24 * HOUR - 1000).await;
    harness.text(ANA, "in time").await.wamid();
    harness.seconds(2).await;
    assert_eq!(harness.callback.statuses(), ["sent", "delivered"]);
    harness.callback.forget();
    harness.text(BOB, "too late").await.wamid();
    harness.seconds(1).await;
    assert_eq!(harness.callback.statuses(), ["failed"]);
    let failed = harness.callback.received()[0].value()["statuses"][0].clone();
    let expected = fixture("st-005-failed-131047")["entry"][0]["changes"][0]["value"]["statuses"][0].clone();
    assert_eq!(failed["errors"], expected["errors"]);
    assert!(failed.get("pricing").is_none());
    harness.contact_sends("bob", "hello again").await;
    harness.callback.forget();
    harness.seconds(10).await;
    harness.text(BOB, "welcome").await.wamid();
    harness.seconds(1).await;
    assert_eq!(harness.callback.statuses(), ["sent", "delivered"]);
}

#[tokio::test]
async fn contact_who_never_wrote_has_no_window_unless_windows_are_off() {
    let harness = Harness::start().await;
    harness.text(ANA, "x").await.wamid();
    harness.seconds(7).await;
    assert_eq!(harness.callback.statuses(), ["failed"]);
    harness.put("/limits", json!({"window": "off"})).await;
    harness.text(ANA, "x").await.wamid();
    harness.seconds(1).await;
    assert_eq!(harness.callback.statuses(), ["failed", "sent", "delivered"]);
}

#[tokio::test]
async fn send_to_number_without_account_fails_in_a_status_without_contact() {
    let harness = Harness::open().await;
    harness.text("15559998888", "x").await.wamid();
    harness.seconds(1).await;
    let value = harness.callback.received()[0].value();
    assert_eq!(value["statuses"][0]["errors"][0]["code"], 131_026);
    assert!(value.get("contacts").is_none());
}

#[tokio::test]
async fn delivered_waits_for_offline_phone() {
    let harness = Harness::open().await;
    harness.put("/users/ana", json!({"online": false})).await;
    harness.text(ANA, "x").await.wamid();
    harness.seconds(3600).await;
    assert_eq!(harness.callback.statuses(), ["sent"]);
    harness.put("/users/ana", json!({"online": true})).await;
    assert_eq!(harness.callback.statuses(), ["sent", "delivered"]);
}

#[tokio::test]
async fn message_to_offline_phone_is_dropped_after_30_days() {
    let harness = Harness::open().await;
    harness.put("/users/ana", json!({"online": false})).await;
    harness.text(ANA, "x").await.wamid();
    harness.emulator.advance(30 * 24 * HOUR + 1000).await;
    harness.put("/users/ana", json!({"online": true})).await;
    harness.seconds(10).await;
    assert_eq!(harness.callback.statuses(), ["sent"]);
}

#[tokio::test]
async fn blocked_business_receives_only_sent() {
    let harness = Harness::open().await;
    harness.put("/users/ana", json!({"blocked": true, "auto_read_ms": 1})).await;
    harness.text(ANA, "x").await.wamid();
    harness.seconds(3600).await;
    assert_eq!(harness.callback.statuses(), ["sent"]);
}

#[tokio::test]
async fn forced_status_is_reported_unchanged() {
    let harness = Harness::open().await;
    let id = harness.text(ANA, "x").await.wamid();
    let body = json!({"status": "failed", "error_code": 131_049});
    let answer = harness.post(&format!("/messages/{id}/status"), body).await;
    assert_eq!(answer.json()["deliveries"].as_array().unwrap().len(), 1);
    let status = harness.callback.received()[0].value()["statuses"][0].clone();
    assert_eq!((&status["status"], &status["errors"][0]["code"]), (&json!("failed"), &json!(131_049)));
    let wrong = harness.post(&format!("/messages/{id}/status"), json!({"status": "failed"})).await;
    assert_eq!(wrong.status, 400);
    assert_eq!(harness.post("/messages/nope/status", json!({"status": "read"})).await.status, 404);
}
