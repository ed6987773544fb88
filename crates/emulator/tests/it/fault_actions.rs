use serde_json::{Value, json};

use crate::harness::{ANA, BOB, Harness, fixture};

#[tokio::test]
async fn truncated_or_invalid_answer_still_accepts_the_message() {
    let harness = Harness::open().await;
    for (action, at) in [(json!({"truncate": {"bytes": 10}}), Some(10)), (json!("bad_json"), None)] {
        harness.fault(json!({"surface": "send"}), json!({"next": 1}), action).await;
        let answer = harness.text(ANA, "x").await;
        assert_eq!(answer.status, 200);
        assert!(serde_json::from_str::<Value>(&answer.text).is_err(), "{}", answer.text);
        assert!(at.is_none_or(|bytes| answer.text.len() == bytes));
    }
    assert_eq!(harness.sent_to("ana").await.len(), 2);
}

#[tokio::test]
async fn held_message_reports_statuses_after_release() {
    let harness = Harness::start().await;
    harness
        .fault(json!({"surface": "send", "template": "order_update"}), json!("always"), json!({"hold": {"ms": 60_000}}))
        .await;
    let answer = harness.send(&fixture("ex-022-template-positional")["request"]["json"]).await;
    assert_eq!(answer.json()["messages"][0]["message_status"], "held_for_quality_assessment");
    harness.seconds(59).await;
    assert!(harness.callback.statuses().is_empty());
    harness.seconds(2).await;
    assert_eq!(harness.callback.statuses(), ["sent", "delivered"]);
}

#[tokio::test]
async fn template_and_media_calls_have_faults() {
    let harness = Harness::start().await;
    let edge = "/200000000000001/message_templates";
    harness.fault(json!({"surface": "templates"}), json!({"next": 1}), json!({"error": "waba_rate"})).await;
    assert_eq!(harness.read(edge).await.code(), 80_007);
    assert_eq!(harness.read(edge).await.status, 200);
    harness.file("700000000000001", "image/png").await;
    harness.fault(json!({"surface": "media_get"}), json!({"next": 1}), json!({"error": {"code": 131_000}})).await;
    assert_eq!(harness.read("/700000000000001").await.status, 500);
    let url = harness.read("/700000000000001").await.json()["url"].as_str().unwrap().to_owned();
    harness.fault(json!({"surface": "media_bytes"}), json!({"next": 1}), json!({"error": {"code": 1}})).await;
    let get = || harness.http.get(&url).bearer_auth(emulator::ACCESS_TOKEN).send();
    assert_eq!(get().await.unwrap().status(), 404);
    assert_eq!(get().await.unwrap().status(), 200);
}

/// Received texts, by webhook post.
fn texts(harness: &Harness) -> Vec<Vec<String>> {
    let texts = |body: Value| {
        let entries = body["entry"].as_array().unwrap().clone();
        let changes = entries.iter().flat_map(|entry| entry["changes"].as_array().unwrap().clone());
        let messages = changes.filter_map(|change| change["value"]["messages"].as_array().cloned()).flatten();
        messages.filter_map(|message| Some(message["text"]["body"].as_str()?.to_owned())).collect()
    };
    harness.callback.received().iter().map(|post| texts(post.json())).collect()
}

#[tokio::test]
async fn swap_fault_exchanges_two_webhooks() {
    let harness = Harness::start().await;
    harness.fault(json!({"surface": "webhook"}), json!({"next": 1}), json!("swap")).await;
    harness.contact_sends("ana", "one").await;
    assert!(harness.callback.received().is_empty());
    harness.contact_sends("bob", "two").await;
    harness.seconds(1).await;
    assert_eq!(texts(&harness), [["two"], ["one"]]);
    harness.fault(json!({"surface": "webhook"}), json!({"next": 1}), json!("swap")).await;
    harness.contact_sends("ana", "alone").await;
    harness.seconds(1).await;
    assert_eq!(texts(&harness)[2], ["alone"], "without a second webhook it is sent after a second");
}

#[tokio::test]
async fn batch_fault_combines_webhooks_and_sends_incomplete_batches_after_a_second() {
    let harness = Harness::start().await;
    harness.fault(json!({"surface": "webhook"}), json!("always"), json!({"batch": {"n": 2}})).await;
    for (from, text) in [("ana", "one"), ("bob", "two"), ("ana", "three")] {
        harness.contact_sends(from, text).await;
    }
    assert_eq!(texts(&harness), [["one", "two"]]);
    harness.seconds(1).await;
    assert_eq!(texts(&harness)[1], ["three"]);
    let signed = harness.callback.received().iter().all(|post| post.signature().is_some());
    assert!(signed);
}

#[tokio::test]
async fn interleave_unknown_fault_adds_unknown_items() {
    let harness = Harness::start().await;
    harness.fault(json!({"surface": "webhook"}), json!("always"), json!("interleave_unknown")).await;
    harness.contact_sends("ana", "hi").await;
    assert_eq!(texts(&harness), [["hi"]]);
    let body = harness.callback.received()[0].json();
    let changes = body["entry"][0]["changes"].as_array().unwrap();
    assert_eq!((changes.len(), &changes[0]["field"]), (3, &json!("novelty_before")));
    assert_eq!(changes[1]["value"]["messages"][0]["type"], "hologram");
}

#[tokio::test]
async fn truncated_webhook_keeps_signature_of_whole_body() {
    let harness = Harness::start().await;
    harness.fault(json!({"surface": "webhook"}), json!({"next": 1}), json!({"truncate": {}})).await;
    harness.contact_sends("ana", "hi").await;
    let post = harness.callback.received()[0].clone();
    assert!(serde_json::from_slice::<Value>(&post.body).is_err());
    let log = harness.get("/webhooks/deliveries").await["deliveries"][0].clone();
    assert_eq!(log["signature"].as_str(), post.signature());
    harness.contact_sends("bob", "hi").await;
    harness.text(BOB, "x").await.wamid();
}
