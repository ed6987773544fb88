//! A full disk: work waits without spinning and continues by itself; requests are answered 503.

use crate::log::Log;
use domain::Span;
use gateways::whatsapp::signature::HEADER;
use reqwest::Method;
use serde_json::json;
use std::time::Duration;
use testkit::{ANA, TestApp, database::TestDatabase};
use tokio_util::sync::CancellationToken;

fn failures(metrics: &str) -> usize {
    let line = metrics.lines().find(|line| line.starts_with("chasqui_db_disk_full_total"));
    line.map_or(0, |line| line.rsplit(' ').next().unwrap().parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn work_waits_for_room_without_spinning_and_then_continues() {
    if TestDatabase::has_postgres() {
        return;
    }
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Plain"})).await;
    app.activate(ANA, &agent).await;
    app.model().says("there is room again");
    // Large inputs need new pages of the file.
    for _ in 0..8 {
        app.contact_sends(ANA, &"hello ".repeat(600)).await;
    }
    app.clock.forward(Span::from_secs(30));

    let store = &app.app.context().store;
    store.fill_disk(true).await.unwrap();
    let stop = CancellationToken::new();
    let working = tokio::spawn(runtime::workers::run(app.app.context().clone(), stop.clone()));
    for _ in 0..35 {
        // Postponed work is due again after a second.
        app.clock.forward(Span::from_secs(1));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let tried = failures(&app.metrics().await);
    // At 0, 250, 750 and 1,750 ms, by two loops at most; without the pause 14 times.
    assert!((2..=8).contains(&tried), "{tried}");
    assert!(app.received_texts(ANA).await.is_empty());

    store.fill_disk(false).await.unwrap();
    testkit::until(|| async {
        app.clock.forward(Span::from_secs(1));
        app.received_texts(ANA).await == ["there is room again"]
    })
    .await;
    stop.cancel();
    working.await.unwrap();
}

#[tokio::test]
async fn requests_and_webhooks_get_503_while_nothing_can_be_stored() {
    if TestDatabase::has_postgres() {
        return;
    }
    let app = TestApp::start().await;
    let (log, _guard) = Log::start();
    let store = &app.app.context().store;
    store.fill_disk(true).await.unwrap();
    let prompt = "be kind ".repeat(4_000);
    let mut refused = None;
    for n in 0..200 {
        let body = json!({"agent": {"name": format!("Agent {n}"), "system_prompt": prompt}});
        let answer = app.post("/api/v1/agents", body).await;
        if answer.status != 201 {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("a full disk");
    assert_eq!((refused.status, refused.body["code"].as_str()), (503, Some("cannot_store")), "{}", refused.body);
    assert!(refused.headers.contains_key("retry-after"));
    // Kept as evidence, as it belongs to no number.
    let body = json!({"object": "page", "text": "hello ".repeat(50_000)}).to_string();
    let signature = gateways::whatsapp::signature::sign(&emulator::APP_SECRET.into(), body.as_bytes());
    let deliver = || {
        let request = app.request(Method::POST, "/webhooks/whatsapp").header(HEADER, signature.clone());
        request.body(body.clone()).send()
    };
    assert_eq!(deliver().await.unwrap().status(), 503, "Meta delivers again");
    for line in ["requests are answered 503", "webhook not stored"] {
        assert_eq!(log.lines(line).len(), 1, "{line}");
    }
    store.fill_disk(false).await.unwrap();
    app.agent(json!({"name": "There is room again"})).await;
    assert_eq!(deliver().await.unwrap().status(), 200);
}
