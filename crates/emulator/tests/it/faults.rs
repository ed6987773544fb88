use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use crate::harness::{ANA, BOB, Harness, text_to};

#[tokio::test]
async fn rule_applies_only_if_all_conditions_match() {
    let harness = Harness::open().await;
    let when = json!({"surface": "send", "to": "+5511999990001", "type": "text", "phone_number_id": "100000000000001", "token": emulator::ACCESS_TOKEN});
    harness.fault(when, json!("always"), json!({"error": "server_500"})).await;
    assert_eq!(harness.text(BOB, "x").await.status, 200);
    assert_eq!(harness.text(ANA, "x").await.status, 500);
    let other = json!({"surface": "send", "type": "image"});
    harness.call(Method::DELETE, "/faults", json!({})).await;
    harness.fault(other, json!("always"), json!("drop")).await;
    assert_eq!(harness.text(ANA, "x").await.status, 200);
}

#[tokio::test]
async fn triggers_count_and_first_matching_rule_wins() {
    let harness = Harness::open().await;
    let send = json!({"surface": "send"});
    harness.fault(send.clone(), json!({"next": 1}), json!({"error": {"code": 131_000}})).await;
    harness.fault(send.clone(), json!({"every": 2}), json!({"error": {"code": 131_016}})).await;
    let mut codes = Vec::new();
    for _ in 0..5 {
        codes.push(harness.text(ANA, "x").await.json()["error"]["code"].as_u64().unwrap_or(0));
    }
    assert_eq!(codes, [131_000, 0, 131_016, 0, 131_016]);
    let rules = harness.get("/faults").await["faults"].clone();
    assert_eq!((&rules[0]["matched"], &rules[0]["fired"]), (&json!(5), &json!(1)));
    assert_eq!((&rules[1]["matched"], &rules[1]["fired"]), (&json!(4), &json!(2)));
    let id = rules[1]["id"].as_str().unwrap();
    assert_eq!(harness.call(Method::DELETE, &format!("/faults/{id}"), json!({})).await.status, 200);
    assert_eq!(harness.call(Method::DELETE, &format!("/faults/{id}"), json!({})).await.status, 404);
}

#[tokio::test]
async fn rule_can_be_limited_to_a_time_or_a_probability() {
    let harness = Harness::open().await;
    let now = harness.emulator.now_ms();
    let send = json!({"surface": "send"});
    harness.fault(send.clone(), json!({"between": [now + 1000, now + 2000]}), json!({"error": "server_500"})).await;
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(harness.text(ANA, "x").await.status);
        harness.seconds(1).await;
    }
    assert_eq!(seen, [200, 500, 200]);
    harness.call(Method::DELETE, "/faults", json!({})).await;
    harness.put("/limits", json!({"pair_rate": false})).await;
    harness.fault(send, json!({"probability": 0.5}), json!({"error": "server_500"})).await;
    let mut failed = 0;
    for _ in 0..40 {
        failed += u32::from(harness.text(ANA, "x").await.status == 500);
    }
    assert!((10..=30).contains(&failed), "{failed}");
}

#[tokio::test]
async fn invalid_rule_gets_400_with_a_clear_message() {
    let harness = Harness::start().await;
    let send = json!({"surface": "send"});
    let cases = [
        (json!({"when": send, "do": "explode"}), "unknown variant `explode`"),
        (json!({"when": send, "do": {"slow": {}}}), "missing field `ms`"),
        (json!({"when": send, "do": "lose"}), "Graph calls"),
        (json!({"when": {"surface": "webhook"}, "do": "drop"}), "webhooks"),
        (json!({"when": {"surface": "webhook"}, "do": {"duplicate": {"n": 1}}}), "2 to 100"),
        (json!({"when": {"surface": "moon"}, "do": "drop"}), "unknown variant `moon`"),
        (json!({"when": send, "trigger": {"every": 0}, "do": "drop"}), "at least 1"),
        (json!({"when": send, "trigger": {"probability": 2.0}, "do": "drop"}), "between 0 and 1"),
        (json!({"when": send, "do": {"error": {"code": 1, "http": 200}}}), "400 to 599"),
        (json!({"when": send, "do": "drop", "whne": 1}), "unknown field `whne`"),
    ];
    for (rule, problem) in cases {
        let answer = harness.post("/faults", rule.clone()).await;
        assert_eq!(answer.status, 400, "{rule}");
        let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
        assert!(message.contains(problem), "{message}");
    }
}

#[tokio::test]
async fn status_fail_accepts_the_message_and_reports_failed() {
    let harness = Harness::open().await;
    harness.fault(json!({"surface": "send"}), json!({"next": 1}), json!({"status_fail": {"code": 131_049}})).await;
    harness.text(ANA, "x").await.wamid();
    harness.seconds(1).await;
    assert_eq!(harness.callback.statuses(), ["failed"]);
    assert_eq!(harness.callback.received()[0].value()["statuses"][0]["errors"][0]["code"], 131_049);
}

#[tokio::test]
async fn duplicates_without_gap_arrive_concurrently() {
    let harness = Harness::start().await;
    // Neither copy is answered before both have arrived.
    harness.callback.meets(2);
    harness
        .fault(
            json!({"surface": "webhook", "event": "message"}),
            json!("always"),
            json!({"duplicate": {"n": 2, "gap_ms": 0}}),
        )
        .await;
    harness.contact_sends("ana", "x").await;
    let received = harness.callback.received();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0].body, received[1].body);
    assert_eq!(received[0].signature(), received[1].signature());
    let log = harness.get("/webhooks/deliveries").await["deliveries"][0].clone();
    assert_eq!(log["state"], "delivered");
    assert!(log["attempts"].as_array().unwrap().iter().all(|attempt| attempt["status"] == 200));
}

#[tokio::test]
async fn duplicates_with_gap_and_delays_follow_the_clock() {
    let harness = Harness::start().await;
    harness
        .fault(json!({"surface": "webhook"}), json!({"next": 1}), json!({"duplicate": {"n": 3, "gap_ms": 1000}}))
        .await;
    harness.fault(json!({"surface": "webhook"}), json!({"next": 1}), json!({"delay": {"ms": 5000}})).await;
    harness.contact_sends("ana", "three times").await;
    harness.contact_sends("ana", "late").await;
    let mut counts = Vec::new();
    for wait in [999, 1, 1000, 2999, 1] {
        counts.push(harness.callback.received().len());
        harness.emulator.advance(wait).await;
    }
    counts.push(harness.callback.received().len());
    assert_eq!(counts, [1, 1, 2, 3, 3, 4]);
}

#[tokio::test]
async fn lost_webhook_is_never_posted() {
    let harness = Harness::start().await;
    harness.fault(json!({"surface": "webhook", "to": "ana"}), json!({"next": 1}), json!("lose")).await;
    harness.contact_sends("ana", "lost").await;
    harness.contact_sends("bob", "kept").await;
    harness.seconds(86_400).await;
    assert_eq!(harness.callback.received().len(), 1);
    assert_eq!(harness.get("/webhooks/deliveries").await["deliveries"][0]["state"], "lost");
}

#[tokio::test]
async fn signature_can_be_wrong_or_missing() {
    let harness = Harness::start().await;
    let message = json!({"surface": "webhook", "event": "message"});
    for action in ["bad_signature", "no_signature"] {
        harness.fault(message.clone(), json!({"next": 1}), json!(action)).await;
    }
    for _ in 0..2 {
        harness.contact_sends("ana", "x").await;
    }
    // The same body with the right signature, for comparison.
    harness.post("/webhooks/raw", json!({"body": harness.callback.received()[0].json()})).await;
    let received = harness.callback.received();
    assert_eq!(received[0].body, received[2].body);
    assert!(received[0].signature().is_some_and(|s| Some(s) != received[2].signature()));
    assert_eq!(received[1].signature(), None);
}

#[tokio::test]
async fn reversed_statuses_keep_their_timestamps() {
    let harness = Harness::open().await;
    harness.emulator.advance(500).await;
    harness
        .fault(json!({"surface": "webhook", "event": "status"}), json!({"next": 1}), json!("reverse_statuses"))
        .await;
    harness.text(ANA, "x").await.wamid();
    harness.seconds(2).await;
    assert_eq!(harness.callback.statuses(), ["delivered", "sent"]);
    let received = harness.callback.received();
    let at = |n: usize| received[n].value()["statuses"][0]["timestamp"].as_str().unwrap().to_owned();
    assert_eq!((at(0), at(1)), ("1790000001".to_owned(), "1790000000".to_owned()));
    harness.callback.forget();
    harness.seconds(60).await;
    harness.text(ANA, "x").await.wamid();
    harness.seconds(2).await;
    assert_eq!(harness.callback.statuses(), ["sent", "delivered"]);
}

#[tokio::test]
async fn status_can_arrive_before_answer_to_send() {
    let harness = Harness::open().await;
    harness
        .fault(
            json!({"surface": "webhook", "event": "status:sent"}),
            json!({"next": 1}),
            json!({"status_before_response": {"ms": 0}}),
        )
        .await;
    let id = harness.text(ANA, "x").await.wamid();
    assert_eq!(harness.callback.statuses(), ["sent"]);
    assert_eq!(harness.callback.received()[0].value()["statuses"][0]["id"], json!(id));
    harness.seconds(2).await;
    assert_eq!(harness.callback.statuses(), ["sent", "delivered"]);
}

#[tokio::test]
async fn slow_answer_follows_the_clock_after_accepting_the_message() {
    let harness = Harness::open().await;
    harness.fault(json!({"surface": "send"}), json!("always"), json!({"slow": {"ms": 3000}})).await;
    let url = format!("{}/v25.0/100000000000001/messages", harness.emulator.url());
    let request = harness.http.post(url).bearer_auth(emulator::ACCESS_TOKEN).json(&text_to(ANA, "x"));
    let answer = tokio::spawn(request.send());
    while harness.sent_to("ana").await.is_empty() {}
    harness.emulator.advance(2999).await;
    harness.quiet().await;
    assert!(!answer.is_finished());
    harness.emulator.advance(1).await;
    let answer = tokio::time::timeout(Duration::from_secs(5), answer).await.unwrap();
    assert_eq!(answer.unwrap().unwrap().status(), 200);
}
