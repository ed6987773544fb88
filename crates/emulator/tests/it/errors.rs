use serde_json::{Value, json};

use crate::harness::{Bench, blank, fixture};

/// Compare the answer to an `er-*` exchange, once its condition is set up.
async fn answers_as(bench: &Bench, name: &str) {
    let example = fixture(name);
    let path = example["request"]["path"].as_str().unwrap();
    let answer = bench.graph(path, &example["request"]["json"]).await;
    let expected = &example["response"];
    assert_eq!(json!(answer.status), expected["status"], "{name}");
    for (header, value) in expected["headers"].as_object().into_iter().flatten() {
        let given = answer.headers[header.as_str()].to_str().unwrap();
        let json = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_else(|_| json!(text));
        assert_eq!(json(given), json(value.as_str().unwrap()), "{name} {header}");
    }
    if let Some(text) = expected["text"].as_str() {
        assert_eq!(answer.text, text);
        return;
    }
    let (mut body, mut wanted) = (answer.json(), expected["body"].clone());
    blank(&mut body, &["fbtrace_id"]);
    blank(&mut wanted, &["fbtrace_id"]);
    assert_eq!(body, wanted, "{name}");
}

#[tokio::test]
async fn errors_that_need_no_condition_are_as_the_fixtures_say() {
    let bench = Bench::open().await;
    for name in ["er-002-100-missing-object", "er-003-131008-missing-to", "er-005-100-text-too-long"] {
        answers_as(&bench, name).await;
    }
}

#[tokio::test]
async fn errors_asked_for_by_name_or_code_are_as_the_fixtures_say() {
    let bench = Bench::open().await;
    let cases = [
        ("er-001-190-expired", json!({"error": "token_expired"})),
        ("er-009-131056-pair-rate", json!({"error": "pair_rate"})),
        ("er-010-130429-throughput", json!({"error": "throughput"})),
        ("er-011-80007-waba-rate", json!({"error": "waba_rate"})),
        ("er-012-131047-sync", json!({"error": {"code": 131_047}})),
        ("er-013-131016-unavailable", json!({"error": {"code": 131_016}})),
        ("er-014-2-service", json!({"error": "unavailable_503"})),
        ("er-015-html-502", json!({"error": "html_502"})),
        ("er-016-133010-not-registered", json!({"error": "not_registered"})),
        ("er-018-131030-test-recipient", json!({"error": {"code": 131_030}})),
        ("er-019-368-policy", json!({"error": "policy_block"})),
    ];
    for (name, action) in cases {
        bench.fault(json!({"surface": "send"}), json!({"next": 1}), action).await;
        answers_as(&bench, name).await;
    }
}

#[tokio::test]
async fn a_closed_window_is_refused_at_once_when_the_limits_say_so() {
    let bench = Bench::start().await;
    bench.put("/limits", json!({"window": "sync"})).await;
    answers_as(&bench, "er-012-131047-sync").await;
}

#[tokio::test]
async fn a_raw_error_may_set_every_part() {
    let bench = Bench::open().await;
    let error = json!({"code": 131_000, "http": 599, "subcode": 7, "details": "d", "headers": {"Retry-After": "9"}});
    bench.fault(json!({"surface": "any_graph"}), json!("always"), json!({"error": error})).await;
    let answer = bench.text("5511999990001", "x").await;
    assert_eq!(answer.status, 599);
    assert_eq!(answer.headers["retry-after"], "9");
    let body = answer.json()["error"].clone();
    assert_eq!(
        (&body["code"], &body["error_subcode"], &body["error_data"]["details"]),
        (&json!(131_000), &json!(7), &json!("d"))
    );
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let bench = Bench::open().await;
    let answer = bench.text("5511999990001", &"x".repeat(2 << 20)).await;
    assert_eq!((answer.status, answer.code()), (413, 100));
}
