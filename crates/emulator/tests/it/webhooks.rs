use emulator::{APP_SECRET, ClockMode, Config};
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::{
    callback::{Callback, Received},
    harness::{HOUR, Harness, blank, fixture, http, manual},
};

fn is_signed(received: &Received, secret: &str) -> bool {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(&received.body);
    let hex: String = mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect();
    received.signature() == Some(&format!("sha256={hex}"))
}

#[tokio::test]
async fn inbound_text_webhook_matches_fixture_and_is_signed_ascii() {
    let harness = Harness::start().await;
    let expected = fixture("in-001-text");
    let text = expected["entry"][0]["changes"][0]["value"]["messages"][0]["text"].clone();
    let body = json!({"from": "ana", "type": "text", "text": text, "timestamp": "1790000001"});
    let answer = harness.post("/inbound", body).await.json();
    let received = &harness.callback.received()[0];
    let (mut given, mut wanted) = (received.json(), expected);
    assert_eq!(given["entry"][0]["changes"][0]["value"]["messages"][0]["id"], answer["message_id"]);
    blank(&mut given, &["id"]);
    blank(&mut wanted, &["id"]);
    assert_eq!(given, wanted);
    assert!(received.body.is_ascii());
    assert!(received.body.windows(4).any(|bytes| bytes == b"\\u00"));
    assert!(!received.body.contains(&b'\n'));
    assert!(is_signed(received, APP_SECRET));
    assert!(!is_signed(received, "another-secret"));
    assert_eq!(received.headers["user-agent"], "facebookexternalua");
    assert_eq!(received.headers["content-type"], "application/json");
}

#[tokio::test]
async fn contact_with_hidden_number_has_only_the_scoped_id() {
    let harness = Harness::start().await;
    harness.contact_sends("caro", "hola").await;
    let expected = fixture("in-034-bsuid-only");
    let (mut given, mut wanted) = (harness.callback.received()[0].json(), expected);
    blank(&mut given, &["id", "timestamp"]);
    blank(&mut wanted, &["id", "timestamp"]);
    assert_eq!(given, wanted);
}

#[tokio::test]
async fn failed_post_is_retried_with_same_bytes_until_200() {
    let harness = Harness::start().await;
    harness.callback.answers(&[500, 500, 500]);
    harness.contact_sends("ana", "Olá").await;
    assert_eq!(harness.callback.received().len(), 1);
    for (wait, attempts) in [(999, 1), (1, 2), (4_999, 2), (1, 3), (29_999, 3), (1, 4)] {
        harness.emulator.advance(wait).await;
        assert_eq!(harness.callback.received().len(), attempts);
    }
    harness.emulator.advance(8 * 24 * HOUR).await;
    let received = harness.callback.received();
    assert_eq!(received.len(), 4, "no more after a 200");
    assert!(received.iter().all(|r| r.body == received[0].body && r.signature() == received[0].signature()));
    let log = harness.get("/webhooks/deliveries").await["deliveries"][0].clone();
    assert_eq!(log["state"], "delivered");
    let attempts: Vec<(Value, Value)> =
        log["attempts"].as_array().unwrap().iter().map(|a| (a["at"].clone(), a["status"].clone())).collect();
    let start = emulator::START_SECONDS * 1000;
    let expected = [(0, 500), (1_000, 500), (6_000, 500), (36_000, 200)];
    assert_eq!(attempts, expected.map(|(at, status)| (json!(start + at), json!(status))));
}

#[tokio::test]
async fn answers_other_than_200_are_retried_for_seven_days() {
    let harness = Harness::start().await;
    harness.callback.answers(&[204; 400]);
    harness.contact_sends("ana", "x").await;
    harness.emulator.advance(9 * 24 * HOUR).await;
    let log = harness.get("/webhooks/deliveries").await["deliveries"][0].clone();
    assert_eq!(log["state"], "given_up");
    let attempts = log["attempts"].as_array().unwrap();
    let last = attempts.last().unwrap()["at"].as_u64().unwrap() - emulator::START_SECONDS * 1000;
    assert!(last <= 7 * 24 * HOUR && last > 7 * 24 * HOUR - HOUR, "{last}");
    assert_eq!(attempts.len(), 173);
}

#[tokio::test]
async fn unreachable_callback_is_retried_and_logged() {
    let config = Config {
        clock: ClockMode::Manual,
        callback_url: Some("http://127.0.0.1:9/hook".to_owned()),
        ..Config::default()
    };
    let callback = Callback::start().await;
    let harness = Harness { emulator: emulator::start(config).await.unwrap(), callback, http: http() };
    harness.contact_sends("ana", "x").await;
    harness.seconds(1).await;
    let log = harness.get("/webhooks/deliveries").await["deliveries"][0].clone();
    assert_eq!(log["state"], "pending");
    assert_eq!(log["attempts"].as_array().unwrap().len(), 2);
    assert_eq!(log["attempts"][0]["error"], "connection refused");
    harness.put("/webhooks/config", json!({"callback_url": harness.callback.url})).await;
    harness.post("/webhooks/flush", json!({})).await;
    assert_eq!(harness.callback.received().len(), 1);
    harness.emulator.advance(8 * 24 * HOUR).await;
    assert_eq!(harness.callback.received().len(), 1, "a flushed delivery is not retried");
}

#[tokio::test]
async fn setting_a_callback_performs_the_handshake() {
    let first = Callback::start().await;
    let emulator = emulator::start(manual(1, &first)).await.unwrap();
    let second = Callback::start().await;
    let harness = Harness { emulator, callback: first, http: http() };
    harness.put("/webhooks/config", json!({"callback_url": second.url})).await;
    let query = second.queries()[0].clone();
    assert!(query.starts_with("hub.mode=subscribe&hub.verify_token=emulator-verify-token&hub.challenge="));
    harness.contact_sends("ana", "x").await;
    assert_eq!((harness.callback.received().len(), second.received().len()), (0, 1));
}

#[tokio::test]
async fn callback_that_fails_the_handshake_is_refused_with_2200() {
    let harness = Harness::start().await;
    let other = Callback::start().await;
    let wrong_token = json!({"callback_url": other.url, "verify_token": "wrong"});
    other.does_not_echo();
    let no_echo = json!({"callback_url": other.url});
    let unreachable = json!({"callback_url": "http://127.0.0.1:9/hook"});
    for body in [wrong_token, no_echo, unreachable] {
        let answer = harness.call(Method::PUT, "/webhooks/config", body).await;
        assert_eq!(answer.status, 400);
        assert_eq!(answer.json()["error"]["graph_code"], 2200);
        assert_eq!(answer.json()["error"]["code"], "bad_request");
    }
    harness.contact_sends("ana", "x").await;
    assert_eq!((harness.callback.received().len(), other.received().len()), (1, 0));
}

#[tokio::test]
async fn remote_callbacks_are_refused() {
    let harness = Harness::start().await;
    let body = json!({"callback_url": "http://example.com/hook"});
    assert_eq!(harness.call(Method::PUT, "/webhooks/config", body).await.status, 400);
    let config = Config { callback_url: Some("http://example.com/hook".to_owned()), ..Config::default() };
    assert!(matches!(emulator::start(config).await, Err(emulator::Error::Callback(_))));
}

#[tokio::test]
async fn held_webhook_can_be_flushed_and_redelivered() {
    let harness = Harness::start().await;
    let body = json!({"from": "ana", "text": "x", "deliver": false});
    let id = harness.post("/inbound", body).await.json()["deliveries"][0].clone();
    harness.seconds(10).await;
    assert!(harness.callback.received().is_empty());
    assert_eq!(harness.post("/webhooks/flush", json!({})).await.json()["deliveries"], json!([id]));
    assert_eq!(harness.callback.received().len(), 1);
    harness.post(&format!("/webhooks/deliveries/{id}/redeliver"), json!({})).await;
    let received = harness.callback.received();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0].body, received[1].body);
    assert_eq!(harness.post("/webhooks/deliveries/99/redeliver", json!({})).await.status, 404);
}

#[tokio::test]
async fn only_one_of_several_failed_copies_is_retried() {
    let harness = Harness::start().await;
    harness.fault(json!({"surface": "webhook"}), json!("always"), json!({"duplicate": {"n": 3}})).await;
    harness.callback.answers(&[500, 500, 500]);
    harness.contact_sends("ana", "x").await;
    assert_eq!(harness.callback.received().len(), 3);
    harness.emulator.advance(8 * 24 * HOUR).await;
    assert_eq!(harness.callback.received().len(), 4);
}

#[tokio::test]
async fn raw_webhooks_are_signed() {
    let harness = Harness::start().await;
    harness.post("/webhooks/raw", json!({"field": "account_update", "value": {"event": "é"}})).await;
    harness.post("/webhooks/raw", json!({"body": "not json {"})).await;
    let received = harness.callback.received();
    assert_eq!(
        received[0].json()["entry"][0]["changes"][0],
        json!({"value": {"event": "é"}, "field": "account_update"})
    );
    assert_eq!(received[0].json()["entry"][0]["time"], json!(emulator::START_SECONDS));
    assert_eq!(&received[1].body[..], b"not json {");
    assert!(received.iter().all(|r| is_signed(r, APP_SECRET)));
    assert_eq!(harness.post("/webhooks/raw", json!({"field": "x"})).await.status, 400);
}

#[tokio::test]
async fn at_most_eight_posts_are_open_at_once() {
    let harness = Harness::start().await;
    harness.callback.holds(true);
    let copies = json!({"duplicate": {"n": 16}});
    harness.fault(json!({"surface": "webhook"}), json!("always"), copies).await;
    let sending = harness.contact_sends("ana", "x");
    let watch = async {
        while harness.callback.received().len() < 8 {
            harness.get("/health").await;
        }
        // Enough rounds for a ninth post to arrive, if there were one.
        for _ in 0..50 {
            harness.get("/health").await;
        }
        assert_eq!(harness.callback.received().len(), 8);
        harness.callback.holds(false);
    };
    tokio::join!(sending, watch);
    assert_eq!(harness.callback.received().len(), 16);
}
