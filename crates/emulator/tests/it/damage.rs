use serde_json::{Value, json};

use crate::harness::{ANA, BOB, Bench, fixture};

#[tokio::test]
async fn an_answer_can_be_cut_or_be_no_json_and_the_message_goes_out_all_the_same() {
    let bench = Bench::open().await;
    for (action, at) in [(json!({"truncate": {"bytes": 10}}), Some(10)), (json!("bad_json"), None)] {
        bench.fault(json!({"surface": "send"}), json!({"next": 1}), action).await;
        let answer = bench.text(ANA, "x").await;
        assert_eq!(answer.status, 200);
        assert!(serde_json::from_str::<Value>(&answer.text).is_err(), "{}", answer.text);
        assert!(at.is_none_or(|bytes| answer.text.len() == bytes));
    }
    assert_eq!(bench.sent_to("ana").await.len(), 2);
}

#[tokio::test]
async fn a_held_message_begins_its_course_when_it_is_released() {
    let bench = Bench::start().await;
    bench
        .fault(json!({"surface": "send", "template": "order_update"}), json!("always"), json!({"hold": {"ms": 60_000}}))
        .await;
    let answer = bench.send(&fixture("ex-022-template-positional")["request"]["json"]).await;
    assert_eq!(answer.json()["messages"][0]["message_status"], "held_for_quality_assessment");
    bench.seconds(59).await;
    assert!(bench.callback.statuses().is_empty());
    bench.seconds(2).await;
    assert_eq!(bench.callback.statuses(), ["sent", "delivered"]);
}

#[tokio::test]
async fn other_surfaces_have_their_faults() {
    let bench = Bench::start().await;
    let edge = "/200000000000001/message_templates";
    bench.fault(json!({"surface": "templates"}), json!({"next": 1}), json!({"error": "waba_rate"})).await;
    assert_eq!(bench.read(edge).await.code(), 80_007);
    assert_eq!(bench.read(edge).await.status, 200);
    bench.file("700000000000001", "image/png").await;
    bench.fault(json!({"surface": "media_get"}), json!({"next": 1}), json!({"error": {"code": 131_000}})).await;
    assert_eq!(bench.read("/700000000000001").await.status, 500);
    let url = bench.read("/700000000000001").await.json()["url"].as_str().unwrap().to_owned();
    bench.fault(json!({"surface": "media_bytes"}), json!({"next": 1}), json!({"error": {"code": 1}})).await;
    let get = || bench.http.get(&url).bearer_auth(emulator::ACCESS_TOKEN).send();
    assert_eq!(get().await.unwrap().status(), 404);
    assert_eq!(get().await.unwrap().status(), 200);
}

/// The texts that arrived, post by post.
fn texts(bench: &Bench) -> Vec<Vec<String>> {
    let texts = |body: Value| {
        let entries = body["entry"].as_array().unwrap().clone();
        let changes = entries.iter().flat_map(|entry| entry["changes"].as_array().unwrap().clone());
        let messages = changes.filter_map(|change| change["value"]["messages"].as_array().cloned()).flatten();
        messages.filter_map(|message| Some(message["text"]["body"].as_str()?.to_owned())).collect()
    };
    bench.callback.received().iter().map(|post| texts(post.json())).collect()
}

#[tokio::test]
async fn two_webhooks_change_places() {
    let bench = Bench::start().await;
    bench.fault(json!({"surface": "webhook"}), json!({"next": 1}), json!("swap")).await;
    bench.says("ana", "one").await;
    assert!(bench.callback.received().is_empty());
    bench.says("bob", "two").await;
    bench.seconds(1).await;
    assert_eq!(texts(&bench), [["two"], ["one"]]);
    bench.fault(json!({"surface": "webhook"}), json!({"next": 1}), json!("swap")).await;
    bench.says("ana", "alone").await;
    bench.seconds(1).await;
    assert_eq!(texts(&bench)[2], ["alone"], "nobody came to change with");
}

#[tokio::test]
async fn webhooks_come_together_and_an_incomplete_batch_does_not_wait_for_ever() {
    let bench = Bench::start().await;
    bench.fault(json!({"surface": "webhook"}), json!("always"), json!({"batch": {"n": 2}})).await;
    for (from, text) in [("ana", "one"), ("bob", "two"), ("ana", "three")] {
        bench.says(from, text).await;
    }
    assert_eq!(texts(&bench), [["one", "two"]]);
    bench.seconds(1).await;
    assert_eq!(texts(&bench)[1], ["three"]);
    let signed = bench.callback.received().iter().all(|post| post.signature().is_some());
    assert!(signed);
}

#[tokio::test]
async fn unknown_things_stand_between_the_known() {
    let bench = Bench::start().await;
    bench.fault(json!({"surface": "webhook"}), json!("always"), json!("interleave_unknown")).await;
    bench.says("ana", "hi").await;
    assert_eq!(texts(&bench), [["hi"]]);
    let body = bench.callback.received()[0].json();
    let changes = body["entry"][0]["changes"].as_array().unwrap();
    assert_eq!((changes.len(), &changes[0]["field"]), (3, &json!("novelty_before")));
    assert_eq!(changes[1]["value"]["messages"][0]["type"], "hologram");
}

#[tokio::test]
async fn a_webhook_that_is_cut_does_not_fit_its_signature() {
    let bench = Bench::start().await;
    bench.fault(json!({"surface": "webhook"}), json!({"next": 1}), json!({"truncate": {}})).await;
    bench.says("ana", "hi").await;
    let post = bench.callback.received()[0].clone();
    assert!(serde_json::from_slice::<Value>(&post.body).is_err());
    let log = bench.get("/webhooks/deliveries").await["deliveries"][0].clone();
    assert_eq!(log["signature"].as_str(), post.signature());
    bench.says("bob", "hi").await;
    bench.text(BOB, "x").await.wamid();
}
