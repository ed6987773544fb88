//! Retries, isolation of receivers, crashes, and pauses.

use super::{KEY, ana_writes, assert_signed, header, receiver, subscribe, subscribe_project, with_number};
use domain::Span;
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
    time::Instant,
};
use testkit::{OWN_NUMBER_ID, Service, TestApp};

/// A receiver whose status can be changed.
async fn switched(status: u16) -> (Service, Arc<AtomicU16>) {
    let shared = Arc::new(AtomicU16::new(status));
    let own = shared.clone();
    let service = Service::start_with(move |_| (own.load(Ordering::SeqCst), json!({"said": "as told"}))).await;
    (service, shared)
}

async fn deliveries(app: &TestApp, query: &str) -> Vec<Value> {
    app.get(&format!("/api/v1/webhook_deliveries?{query}")).await.body["data"].as_array().unwrap().clone()
}

#[tokio::test]
async fn receiver_that_fails_for_an_hour_gets_every_event_with_the_same_id() {
    let (app, config) = with_number().await;
    let (receiver, status) = switched(503).await;
    subscribe(&app, &config, &receiver.url(), &["whatsapp.message.received"], json!({})).await;
    for text in ["one", "two", "three"] {
        ana_writes(&app, text).await;
    }
    app.run_until_idle().await;
    let ids = |service: &Service| -> BTreeSet<String> {
        service.requests().iter().map(|request| header(request, "x-idempotency-key").to_owned()).collect()
    };
    let first = ids(&receiver);
    assert_eq!(first.len(), 3);
    assert!(
        app.metrics().await.contains("chasqui_queue_due{queue=\"webhooks\"} 0"),
        "they wait for their next attempt"
    );
    // The contract's schedule: nothing before 10 s.
    app.forward(Span::from_secs(9)).await;
    assert_eq!(receiver.requests().len(), 3);
    for minutes in [1, 3, 10, 46] {
        app.forward(Span::from_mins(minutes)).await;
    }
    let failed = receiver.requests().len();
    assert!(failed > 12, "{failed} attempts");
    status.store(200, Ordering::SeqCst);
    app.forward(Span::from_hours(3)).await;
    assert_eq!(receiver.requests().len(), failed + 3, "each once more");
    assert_eq!(ids(&receiver), first, "the ids are stable");
    let mut texts: Vec<String> = receiver.requests()[failed..]
        .iter()
        .map(|request| {
            assert_signed(request, KEY);
            request.body["message"]["text"]["body"].as_str().unwrap().to_owned()
        })
        .collect();
    texts.sort();
    assert_eq!(texts, ["one", "three", "two"]);
    let all = deliveries(&app, "status=delivered").await;
    assert_eq!(all.len(), 3);
    let log = app.get(&format!("/api/v1/webhook_deliveries/{}", all[0]["id"].as_str().unwrap())).await;
    let log = log.data();
    assert_eq!(log["log"][0]["response_status"], 503);
    assert_eq!(log["log"].as_array().unwrap().last().unwrap()["error"], Value::Null);
    assert!(log["request"]["body"].as_str().unwrap().contains("text"));
}

#[tokio::test]
async fn receiver_that_answers_200_gets_no_event_twice_and_one_that_redirects_gets_no_follow_up() {
    let (app, config) = with_number().await;
    let good = receiver().await;
    let target = good.url();
    let redirects = Service::start(move |_| json!({"redirect": format!("{target}/elsewhere")})).await;
    for url in [good.url(), redirects.url()] {
        subscribe(&app, &config, &url, &["whatsapp.message.received"], json!({})).await;
    }
    ana_writes(&app, "hi").await;
    app.run_until_idle().await;
    app.forward(Span::from_secs(5)).await;
    assert_eq!((good.requests().len(), redirects.requests().len()), (1, 1));
    assert!(good.requests().iter().all(|request| request.path == "/"));
}

#[tokio::test]
async fn private_address_is_not_reached() {
    let app = TestApp::start().await;
    let (_, config) = app.own_number().await;
    let receiver = receiver().await;
    subscribe(&app, &config, &receiver.url(), &["whatsapp.message.received"], json!({})).await;
    ana_writes(&app, "hi").await;
    app.run_until_idle().await;
    assert_eq!(receiver.requests().len(), 0);
    let all = deliveries(&app, "").await;
    assert_eq!((all.len(), &all[0]["status"]), (1, &json!("pending")));
    assert!(all[0]["last_error"].as_str().unwrap().contains("127.0.0.1"), "{}", all[0]);
}

#[tokio::test]
async fn event_survives_a_crash_before_its_delivery() {
    let (app, config) = with_number().await;
    let receiver = receiver().await;
    subscribe(&app, &config, &receiver.url(), &["whatsapp.message.received"], json!({})).await;
    ana_writes(&app, "hi").await;
    let app = app.crash_and_restart().await;
    app.run_until_idle().await;
    assert_eq!(receiver.requests().len(), 1);
}

#[tokio::test]
async fn hanging_receiver_delays_no_other_and_no_turn() {
    let (app, config) = with_number().await;
    let hangs = Service::start(|_| json!({"hold": true})).await;
    let good = receiver().await;
    for url in [hangs.url(), good.url()] {
        subscribe(&app, &config, &url, &["whatsapp.message.received"], json!({})).await;
    }
    for text in 0..20 {
        ana_writes(&app, &format!("{text}")).await;
    }
    let (context, stop) = (app.app.context().clone(), tokio_util::sync::CancellationToken::new());
    let workers = tokio::spawn(runtime::workers::run(context, stop.clone()));
    let began = Instant::now();
    testkit::until(|| async { good.requests().len() == 20 }).await;
    let took = began.elapsed();
    assert!(took.as_secs() < 5, "{took:?}");
    let open = hangs.requests().len();
    assert!((1..=8).contains(&open), "{open} requests to the one that hangs");
    stop.cancel();
    workers.await.unwrap();
}

#[tokio::test]
async fn endpoint_is_paused_after_three_days_and_delivers_what_waited_after_its_resume() {
    let (app, config) = with_number().await;
    let (dead, status) = switched(500).await;
    let observer = receiver().await;
    let id = subscribe(&app, &config, &dead.url(), &["whatsapp.message.received"], json!({})).await;
    subscribe_project(&app, &observer.url(), &["webhook.paused"], json!({})).await;
    for day in 0..4 {
        ana_writes(&app, &format!("day {day}")).await;
        for _ in 0..4 {
            app.forward(Span::from_hours(6)).await;
        }
    }
    let endpoint = app.get(&format!("/api/v1/webhook_endpoints/{id}")).await;
    assert!(endpoint.data()["paused_at"].is_string(), "{}", endpoint.body);
    assert_eq!(observer.requests().len(), 1);
    assert_eq!(observer.requests()[0].body["webhook_endpoint"]["id"], json!(id));
    let tried = dead.requests().len();
    ana_writes(&app, "while paused").await;
    app.forward(Span::from_hours(48)).await;
    assert_eq!(dead.requests().len(), tried, "nothing is tried");
    status.store(200, Ordering::SeqCst);
    let resumed = app.post(&format!("/api/v1/webhook_endpoints/{id}/resume"), json!({})).await;
    assert_eq!(resumed.data()["paused_at"], Value::Null);
    app.run_until_idle().await;
    let texts: Vec<Value> =
        dead.requests()[tried..].iter().map(|request| request.body["message"]["text"]["body"].clone()).collect();
    assert!(texts.contains(&json!("while paused")), "{texts:?}");
}

#[tokio::test]
async fn event_that_failed_for_good_comes_with_a_replay_of_all_failed() {
    let (app, config) = with_number().await;
    let is_repaired = Arc::new(AtomicU16::new(0));
    let own = is_repaired.clone();
    let receiver = Service::start_with(move |request| {
        let is_bad = request.body["message"]["text"]["body"] == "bad";
        (if is_bad && own.load(Ordering::SeqCst) == 0 { 500 } else { 200 }, json!({}))
    });
    let receiver = receiver.await;
    let id = subscribe(&app, &config, &receiver.url(), &["whatsapp.message.received"], json!({})).await;
    ana_writes(&app, "bad").await;
    // Successes between keep the endpoint from being paused.
    for hour in 0..20 {
        ana_writes(&app, &format!("good {hour}")).await;
        app.forward(Span::from_hours(9)).await;
    }
    let failed = deliveries(&app, "status=failed").await;
    assert_eq!((failed.len(), &failed[0]["attempts"]), (1, &json!(10)));
    is_repaired.store(1, Ordering::SeqCst);
    let replay = json!({"webhook_endpoint_id": id});
    let replayed = app.post("/api/v1/webhook_deliveries/replay", replay.clone()).await;
    assert_eq!(replayed.data(), &json!({"replayed": 1, "more": false}));
    app.run_until_idle().await;
    assert!(deliveries(&app, "status=failed").await.is_empty());
    let bad = receiver.requests().into_iter().filter(|request| request.body["message"]["text"]["body"] == "bad");
    let ids: BTreeSet<String> = bad.map(|request| header(&request, "webhook-id").to_owned()).collect();
    assert_eq!(ids.len(), 1, "the same id in all eleven attempts");
    assert_eq!(app.post("/api/v1/webhook_deliveries/replay", replay).await.data()["replayed"], 0);
}

#[tokio::test]
async fn order_of_a_conversation_is_kept_where_asked() {
    let (app, _) = with_number().await;
    let (receiver, status) = switched(500).await;
    subscribe_project(&app, &receiver.url(), &["whatsapp.message.received"], json!({"ordered": true})).await;
    for text in ["one", "two", "three"] {
        ana_writes(&app, text).await;
    }
    app.run_until_idle().await;
    assert_eq!(receiver.requests().len(), 1, "the others wait for the first");
    status.store(200, Ordering::SeqCst);
    app.forward(Span::from_secs(11)).await;
    let texts: Vec<Value> =
        receiver.requests()[1..].iter().map(|request| request.body["message"]["text"]["body"].clone()).collect();
    assert_eq!(texts, [json!("one"), json!("two"), json!("three")]);
    assert_eq!(receiver.requests()[0].body["phone_number_id"], OWN_NUMBER_ID);
}

#[tokio::test]
async fn receiver_that_processes_and_does_not_answer_gets_the_event_again_under_the_same_id() {
    let (app, config) = with_number().await;
    let seen = Arc::new(AtomicU16::new(0));
    let count = seen.clone();
    // The first two answers are lost after the receiver has processed the event.
    let receiver = Service::start(move |_| match count.fetch_add(1, Ordering::SeqCst) {
        0 | 1 => json!({"drop": true}),
        _ => json!({"ok": true}),
    })
    .await;
    subscribe(&app, &config, &receiver.url(), &["whatsapp.message.received"], json!({})).await;
    ana_writes(&app, "hi").await;
    app.run_until_idle().await;
    app.forward(Span::from_mins(5)).await;
    let requests = receiver.requests();
    let ids: BTreeSet<&str> = requests.iter().map(|request| header(request, "webhook-id")).collect();
    assert_eq!((requests.len(), ids.len()), (3, 1));
    for request in &requests {
        assert_signed(request, KEY);
        assert_eq!(request.raw, requests[0].raw, "the body stays the same bytes");
    }
    assert_eq!(deliveries(&app, "status=delivered").await.len(), 1);
}
