use emulator::{ACCESS_TOKEN, PHONE_NUMBER_ID};
use serde_json::{Value, json};

use crate::harness::{ANA, Answer, Harness, blank, fixture, text_to};

/// Compares an answer with an `er-*` fixture whose condition is set up.
async fn answers_as(harness: &Harness, name: &str) {
    let example = fixture(name);
    let path = example["request"]["path"].as_str().unwrap();
    let answer = harness.graph(path, &example["request"]["json"]).await;
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
async fn request_errors_match_fixtures() {
    let harness = Harness::open().await;
    for name in ["er-002-100-missing-object", "er-003-131008-missing-to", "er-005-100-text-too-long"] {
        answers_as(&harness, name).await;
    }
}

#[tokio::test]
async fn fault_errors_match_fixtures() {
    let harness = Harness::open().await;
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
        harness.fault(json!({"surface": "send"}), json!({"next": 1}), action).await;
        answers_as(&harness, name).await;
    }
}

#[tokio::test]
async fn synchronous_window_refuses_closed_window_at_once() {
    let harness = Harness::start().await;
    harness.put("/limits", json!({"window": "sync"})).await;
    answers_as(&harness, "er-012-131047-sync").await;
}

#[tokio::test]
async fn raw_error_sets_status_subcode_details_and_headers() {
    let harness = Harness::open().await;
    let error = json!({"code": 131_000, "http": 599, "subcode": 7, "details": "d", "headers": {"Retry-After": "9"}});
    harness.fault(json!({"surface": "any_graph"}), json!("always"), json!({"error": error})).await;
    let answer = harness.text("5511999990001", "x").await;
    assert_eq!(answer.status, 599);
    assert_eq!(answer.headers["retry-after"], "9");
    let body = answer.json()["error"].clone();
    assert_eq!(
        (&body["code"], &body["error_subcode"], &body["error_data"]["details"]),
        (&json!(131_000), &json!(7), &json!("d"))
    );
}

#[tokio::test]
async fn oversized_body_is_refused() {
    let harness = Harness::open().await;
    let answer = harness.text("5511999990001", &"x".repeat(2 << 20)).await;
    assert_eq!((answer.status, answer.code()), (413, 100));
}

/// Meta removed these general features of the Graph API for new apps.
#[tokio::test]
async fn removed_features_are_refused() {
    let harness = Harness::open().await;
    let number = format!("/{PHONE_NUMBER_ID}");
    for query in ["?method=delete", "?ids=1,2", "?fields=verified_name.as(name)", "?date_format=U", "?callback=show"] {
        let refused = harness.read(&format!("{number}{query}")).await;
        assert_eq!((refused.status, refused.code()), (400, 100), "{query}: {}", refused.text);
        assert!(refused.text.contains("no longer supported"), "{query}: {}", refused.text);
    }
    let mut overriding = text_to(ANA, "x");
    overriding["method"] = "DELETE".into();
    assert_eq!(harness.send(&overriding).await.code(), 100);
    let header = harness
        .http
        .post(format!("{}{number}/messages", harness.emulator.url()))
        .bearer_auth(ACCESS_TOKEN)
        .header("X-HTTP-Method-Override", "GET")
        .json(&text_to(ANA, "x"));
    assert_eq!(Answer::read(header.send().await.unwrap()).await.code(), 100);
    assert_eq!(harness.read(&format!("{number}?fields=verified_name")).await.status, 200);
}
