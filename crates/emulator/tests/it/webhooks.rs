use emulator::{APP_SECRET, ClockMode, Config};
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::{
    harness::{Bench, HOUR, blank, fixture, http, manual},
    callback::{Callback, Received},
};

fn is_signed(received: &Received, secret: &str) -> bool {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(&received.body);
    let hex: String = mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect();
    received.signature() == Some(&format!("sha256={hex}"))
}

#[tokio::test]
async fn an_inbound_text_becomes_a_webhook_of_the_fixtures_shape_signed_and_ascii() {
    let bench = Bench::start().await;
    let expected = fixture("in-001-text");
    let text = expected["entry"][0]["changes"][0]["value"]["messages"][0]["text"].clone();
    let body = json!({"from": "ana", "type": "text", "text": text, "timestamp": "1790000001"});
    let answer = bench.post("/inbound", body).await.json();
    let received = &bench.callback.received()[0];
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
async fn a_person_without_a_visible_number_has_only_the_scoped_id() {
    let bench = Bench::start().await;
    bench.says("caro", "hola").await;
    let expected = fixture("in-034-bsuid-only");
    let (mut given, mut wanted) = (bench.callback.received()[0].json(), expected);
    blank(&mut given, &["id", "timestamp"]);
    blank(&mut wanted, &["id", "timestamp"]);
    assert_eq!(given, wanted);
}

#[tokio::test]
async fn a_failed_post_is_repeated_with_the_same_bytes_until_it_is_answered_200() {
    let bench = Bench::start().await;
    bench.callback.answers(&[500, 500, 500]);
    bench.says("ana", "Olá").await;
    assert_eq!(bench.callback.received().len(), 1);
    for (wait, attempts) in [(999, 1), (1, 2), (4_999, 2), (1, 3), (29_999, 3), (1, 4)] {
        bench.emulator.advance(wait).await;
        assert_eq!(bench.callback.received().len(), attempts);
    }
    bench.emulator.advance(8 * 24 * HOUR).await;
    let received = bench.callback.received();
    assert_eq!(received.len(), 4, "no more after a 200");
    assert!(received.iter().all(|r| r.body == received[0].body && r.signature() == received[0].signature()));
    let log = bench.get("/webhooks/deliveries").await["deliveries"][0].clone();
    assert_eq!(log["state"], "delivered");
    let attempts: Vec<(Value, Value)> =
        log["attempts"].as_array().unwrap().iter().map(|a| (a["at"].clone(), a["status"].clone())).collect();
    let start = emulator::START_SECONDS * 1000;
    let expected = [(0, 500), (1_000, 500), (6_000, 500), (36_000, 200)];
    assert_eq!(attempts, expected.map(|(at, status)| (json!(start + at), json!(status))));
}

#[tokio::test]
async fn only_200_counts_and_after_seven_days_it_is_given_up() {
    let bench = Bench::start().await;
    bench.callback.answers(&[204; 400]);
    bench.says("ana", "x").await;
    bench.emulator.advance(9 * 24 * HOUR).await;
    let log = bench.get("/webhooks/deliveries").await["deliveries"][0].clone();
    assert_eq!(log["state"], "given_up");
    let attempts = log["attempts"].as_array().unwrap();
    let last = attempts.last().unwrap()["at"].as_u64().unwrap() - emulator::START_SECONDS * 1000;
    assert!(last <= 7 * 24 * HOUR && last > 7 * 24 * HOUR - HOUR, "{last}");
    assert_eq!(attempts.len(), 173);
}

#[tokio::test]
async fn a_callback_that_is_away_is_tried_again_and_the_error_is_logged() {
    let config = Config {
        clock: ClockMode::Manual,
        callback_url: Some("http://127.0.0.1:9/hook".to_owned()),
        ..Config::default()
    };
    let callback = Callback::start().await;
    let bench = Bench { emulator: emulator::start(config).await.unwrap(), callback, http: http() };
    bench.says("ana", "x").await;
    bench.seconds(1).await;
    let log = bench.get("/webhooks/deliveries").await["deliveries"][0].clone();
    assert_eq!(log["state"], "pending");
    assert_eq!(log["attempts"].as_array().unwrap().len(), 2);
    assert_eq!(log["attempts"][0]["error"], "connection refused");
    bench.put("/webhooks/config", json!({"callback_url": bench.callback.url})).await;
    bench.post("/webhooks/flush", json!({})).await;
    assert_eq!(bench.callback.received().len(), 1);
    bench.emulator.advance(8 * 24 * HOUR).await;
    assert_eq!(bench.callback.received().len(), 1, "a flushed delivery is not retried");
}

#[tokio::test]
async fn setting_a_callback_shakes_hands_first() {
    let first = Callback::start().await;
    let emulator = emulator::start(manual(1, &first)).await.unwrap();
    let second = Callback::start().await;
    let bench = Bench { emulator, callback: first, http: http() };
    bench.put("/webhooks/config", json!({"callback_url": second.url})).await;
    let query = second.queries()[0].clone();
    assert!(query.starts_with("hub.mode=subscribe&hub.verify_token=emulator-verify-token&hub.challenge="));
    bench.says("ana", "x").await;
    assert_eq!((bench.callback.received().len(), second.received().len()), (0, 1));
}

#[tokio::test]
async fn a_callback_that_fails_the_handshake_is_refused_with_2200_and_nothing_changes() {
    let bench = Bench::start().await;
    let other = Callback::start().await;
    let wrong_token = json!({"callback_url": other.url, "verify_token": "wrong"});
    other.does_not_echo();
    let no_echo = json!({"callback_url": other.url});
    let nobody = json!({"callback_url": "http://127.0.0.1:9/hook"});
    for body in [wrong_token, no_echo, nobody] {
        let answer = bench.call(Method::PUT, "/webhooks/config", body).await;
        assert_eq!(answer.status, 400);
        assert_eq!(answer.json()["error"]["graph_code"], 2200);
        assert_eq!(answer.json()["error"]["code"], "bad_request");
    }
    bench.says("ana", "x").await;
    assert_eq!((bench.callback.received().len(), other.received().len()), (1, 0));
}

#[tokio::test]
async fn remote_callbacks_are_refused() {
    let bench = Bench::start().await;
    let body = json!({"callback_url": "http://example.com/hook"});
    assert_eq!(bench.call(Method::PUT, "/webhooks/config", body).await.status, 400);
    let config = Config { callback_url: Some("http://example.com/hook".to_owned()), ..Config::default() };
    assert!(matches!(emulator::start(config).await, Err(emulator::Error::Callback(_))));
}

#[tokio::test]
async fn a_message_may_be_kept_back_and_flushed_and_any_delivery_repeated() {
    let bench = Bench::start().await;
    let body = json!({"from": "ana", "text": "x", "deliver": false});
    let id = bench.post("/inbound", body).await.json()["deliveries"][0].clone();
    bench.seconds(10).await;
    assert!(bench.callback.received().is_empty());
    assert_eq!(bench.post("/webhooks/flush", json!({})).await.json()["deliveries"], json!([id]));
    assert_eq!(bench.callback.received().len(), 1);
    bench.post(&format!("/webhooks/deliveries/{id}/redeliver"), json!({})).await;
    let received = bench.callback.received();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0].body, received[1].body);
    assert_eq!(bench.post("/webhooks/deliveries/99/redeliver", json!({})).await.status, 404);
}

#[tokio::test]
async fn of_several_copies_that_fail_only_one_is_repeated() {
    let bench = Bench::start().await;
    bench.fault(json!({"surface": "webhook"}), json!("always"), json!({"duplicate": {"n": 3}})).await;
    bench.callback.answers(&[500, 500, 500]);
    bench.says("ana", "x").await;
    assert_eq!(bench.callback.received().len(), 3);
    bench.emulator.advance(8 * 24 * HOUR).await;
    assert_eq!(bench.callback.received().len(), 4);
}

#[tokio::test]
async fn raw_webhooks_are_signed_as_they_are() {
    let bench = Bench::start().await;
    bench.post("/webhooks/raw", json!({"field": "account_update", "value": {"event": "é"}})).await;
    bench.post("/webhooks/raw", json!({"body": "not json {"})).await;
    let received = bench.callback.received();
    assert_eq!(
        received[0].json()["entry"][0]["changes"][0],
        json!({"value": {"event": "é"}, "field": "account_update"})
    );
    assert_eq!(received[0].json()["entry"][0]["time"], json!(emulator::START_SECONDS));
    assert_eq!(&received[1].body[..], b"not json {");
    assert!(received.iter().all(|r| is_signed(r, APP_SECRET)));
    assert_eq!(bench.post("/webhooks/raw", json!({"field": "x"})).await.status, 400);
}

#[tokio::test]
async fn at_most_eight_posts_are_under_way_at_once() {
    let bench = Bench::start().await;
    bench.callback.holds(true);
    let copies = json!({"duplicate": {"n": 16}});
    bench.fault(json!({"surface": "webhook"}), json!("always"), copies).await;
    let says = bench.says("ana", "x");
    let watch = async {
        while bench.callback.received().len() < 8 {
            bench.get("/health").await;
        }
        // Plenty of turns for a ninth to come, if it could.
        for _ in 0..50 {
            bench.get("/health").await;
        }
        assert_eq!(bench.callback.received().len(), 8);
        bench.callback.holds(false);
    };
    tokio::join!(says, watch);
    assert_eq!(bench.callback.received().len(), 16);
}
