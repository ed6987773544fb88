use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use crate::harness::{ANA, BOB, Bench, text_to};

#[tokio::test]
async fn a_rule_applies_only_where_all_its_conditions_match() {
    let bench = Bench::open().await;
    let when = json!({"surface": "send", "to": "+5511999990001", "type": "text", "phone_number_id": "100000000000001", "token": emulator::ACCESS_TOKEN});
    bench.fault(when, json!("always"), json!({"error": "server_500"})).await;
    assert_eq!(bench.text(BOB, "x").await.status, 200);
    assert_eq!(bench.text(ANA, "x").await.status, 500);
    let other = json!({"surface": "send", "type": "image"});
    bench.call(Method::DELETE, "/faults", json!({})).await;
    bench.fault(other, json!("always"), json!("drop")).await;
    assert_eq!(bench.text(ANA, "x").await.status, 200);
}

#[tokio::test]
async fn triggers_count_and_the_first_matching_rule_wins() {
    let bench = Bench::open().await;
    let send = json!({"surface": "send"});
    bench.fault(send.clone(), json!({"next": 1}), json!({"error": {"code": 131_000}})).await;
    bench.fault(send.clone(), json!({"every": 2}), json!({"error": {"code": 131_016}})).await;
    let mut codes = Vec::new();
    for _ in 0..5 {
        codes.push(bench.text(ANA, "x").await.json()["error"]["code"].as_u64().unwrap_or(0));
    }
    assert_eq!(codes, [131_000, 0, 131_016, 0, 131_016]);
    let rules = bench.get("/faults").await["faults"].clone();
    assert_eq!((&rules[0]["matched"], &rules[0]["fired"]), (&json!(5), &json!(1)));
    assert_eq!((&rules[1]["matched"], &rules[1]["fired"]), (&json!(4), &json!(2)));
    let id = rules[1]["id"].as_str().unwrap();
    assert_eq!(bench.call(Method::DELETE, &format!("/faults/{id}"), json!({})).await.status, 200);
    assert_eq!(bench.call(Method::DELETE, &format!("/faults/{id}"), json!({})).await.status, 404);
}

#[tokio::test]
async fn a_rule_may_be_limited_to_a_time_or_left_to_a_seeded_die() {
    let bench = Bench::open().await;
    let now = bench.emulator.now_ms();
    let send = json!({"surface": "send"});
    bench.fault(send.clone(), json!({"between": [now + 1000, now + 2000]}), json!({"error": "server_500"})).await;
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(bench.text(ANA, "x").await.status);
        bench.seconds(1).await;
    }
    assert_eq!(seen, [200, 500, 200]);
    bench.call(Method::DELETE, "/faults", json!({})).await;
    bench.put("/limits", json!({"pair_rate": false})).await;
    bench.fault(send, json!({"probability": 0.5}), json!({"error": "server_500"})).await;
    let mut failed = 0;
    for _ in 0..40 {
        failed += u32::from(bench.text(ANA, "x").await.status == 500);
    }
    assert!((10..=30).contains(&failed), "{failed}");
}

#[tokio::test]
async fn an_unknown_or_misplaced_fault_is_a_clear_400() {
    let bench = Bench::start().await;
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
        let answer = bench.post("/faults", rule.clone()).await;
        assert_eq!(answer.status, 400, "{rule}");
        let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
        assert!(message.contains(problem), "{message}");
    }
}

#[tokio::test]
async fn a_status_fail_is_accepted_and_fails_later() {
    let bench = Bench::open().await;
    bench.fault(json!({"surface": "send"}), json!({"next": 1}), json!({"status_fail": {"code": 131_049}})).await;
    bench.text(ANA, "x").await.wamid();
    bench.seconds(1).await;
    assert_eq!(bench.callback.statuses(), ["failed"]);
    assert_eq!(bench.callback.received()[0].value()["statuses"][0]["errors"][0]["code"], 131_049);
}

#[tokio::test]
async fn a_duplicate_without_a_gap_arrives_at_the_same_moment() {
    let bench = Bench::start().await;
    // Neither copy is answered before both are there.
    bench.callback.meets(2);
    bench
        .fault(
            json!({"surface": "webhook", "event": "message"}),
            json!("always"),
            json!({"duplicate": {"n": 2, "gap_ms": 0}}),
        )
        .await;
    bench.says("ana", "x").await;
    let received = bench.callback.received();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0].body, received[1].body);
    assert_eq!(received[0].signature(), received[1].signature());
    let log = bench.get("/webhooks/deliveries").await["deliveries"][0].clone();
    assert_eq!(log["state"], "delivered");
    assert!(log["attempts"].as_array().unwrap().iter().all(|attempt| attempt["status"] == 200));
}

#[tokio::test]
async fn duplicates_with_a_gap_and_delays_follow_the_clock() {
    let bench = Bench::start().await;
    bench
        .fault(json!({"surface": "webhook"}), json!({"next": 1}), json!({"duplicate": {"n": 3, "gap_ms": 1000}}))
        .await;
    bench.fault(json!({"surface": "webhook"}), json!({"next": 1}), json!({"delay": {"ms": 5000}})).await;
    bench.says("ana", "three times").await;
    bench.says("ana", "late").await;
    let mut counts = Vec::new();
    for wait in [999, 1, 1000, 2999, 1] {
        counts.push(bench.callback.received().len());
        bench.emulator.advance(wait).await;
    }
    counts.push(bench.callback.received().len());
    assert_eq!(counts, [1, 1, 2, 3, 3, 4]);
}

#[tokio::test]
async fn a_lost_webhook_never_comes() {
    let bench = Bench::start().await;
    bench.fault(json!({"surface": "webhook", "to": "ana"}), json!({"next": 1}), json!("lose")).await;
    bench.says("ana", "lost").await;
    bench.says("bob", "kept").await;
    bench.seconds(86_400).await;
    assert_eq!(bench.callback.received().len(), 1);
    assert_eq!(bench.get("/webhooks/deliveries").await["deliveries"][0]["state"], "lost");
}

#[tokio::test]
async fn signatures_can_be_wrong_or_missing() {
    let bench = Bench::start().await;
    let message = json!({"surface": "webhook", "event": "message"});
    for action in ["bad_signature", "no_signature"] {
        bench.fault(message.clone(), json!({"next": 1}), json!(action)).await;
    }
    for _ in 0..2 {
        bench.says("ana", "x").await;
    }
    // The same body signed properly, to compare with.
    bench.post("/webhooks/raw", json!({"body": bench.callback.received()[0].json()})).await;
    let received = bench.callback.received();
    assert_eq!(received[0].body, received[2].body);
    assert!(received[0].signature().is_some_and(|s| Some(s) != received[2].signature()));
    assert_eq!(received[1].signature(), None);
}

#[tokio::test]
async fn reversed_statuses_arrive_delivered_first_with_their_own_times() {
    let bench = Bench::open().await;
    bench.emulator.advance(500).await;
    bench.fault(json!({"surface": "webhook", "event": "status"}), json!({"next": 1}), json!("reverse_statuses")).await;
    bench.text(ANA, "x").await.wamid();
    bench.seconds(2).await;
    assert_eq!(bench.callback.statuses(), ["delivered", "sent"]);
    let received = bench.callback.received();
    let at = |n: usize| received[n].value()["statuses"][0]["timestamp"].as_str().unwrap().to_owned();
    assert_eq!((at(0), at(1)), ("1790000001".to_owned(), "1790000000".to_owned()));
    bench.callback.forget();
    bench.seconds(60).await;
    bench.text(ANA, "x").await.wamid();
    bench.seconds(2).await;
    assert_eq!(bench.callback.statuses(), ["sent", "delivered"]);
}

#[tokio::test]
async fn a_status_can_arrive_before_the_answer_of_the_send() {
    let bench = Bench::open().await;
    bench
        .fault(
            json!({"surface": "webhook", "event": "status:sent"}),
            json!({"next": 1}),
            json!({"status_before_response": {"ms": 0}}),
        )
        .await;
    let id = bench.text(ANA, "x").await.wamid();
    assert_eq!(bench.callback.statuses(), ["sent"]);
    assert_eq!(bench.callback.received()[0].value()["statuses"][0]["id"], json!(id));
    bench.seconds(2).await;
    assert_eq!(bench.callback.statuses(), ["sent", "delivered"]);
}

#[tokio::test]
async fn a_slow_answer_comes_when_the_clock_says_so_and_the_message_was_accepted() {
    let bench = Bench::open().await;
    bench.fault(json!({"surface": "send"}), json!("always"), json!({"slow": {"ms": 3000}})).await;
    let url = format!("{}/v25.0/100000000000001/messages", bench.emulator.url());
    let request = bench.http.post(url).bearer_auth(emulator::ACCESS_TOKEN).json(&text_to(ANA, "x"));
    let answer = tokio::spawn(request.send());
    while bench.sent_to("ana").await.is_empty() {}
    bench.emulator.advance(2999).await;
    bench.quiet().await;
    assert!(!answer.is_finished());
    bench.emulator.advance(1).await;
    let answer = tokio::time::timeout(Duration::from_secs(5), answer).await.unwrap();
    assert_eq!(answer.unwrap().unwrap().status(), 200);
}
