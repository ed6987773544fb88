//! Rows with a stated life are deleted when it is over, a few in each transaction.

use domain::Span;
use gateways::whatsapp::signature;
use reqwest::Method;
use runtime::workers::{Did, sweep};
use secrecy::SecretString;
use serde_json::json;
use store::{census, idempotency, transact};
use testkit::TestApp;

/// Numbers of answers, raw webhooks, codes, tokens, and rights of codes and tokens.
async fn rows(app: &TestApp) -> [i64; 5] {
    let mut reader = app.app.context().store.read().await.unwrap();
    let rows = census::expiring(&mut reader.conn()).await.unwrap();
    [rows.answers, rows.webhooks, rows.codes, rows.tokens, rows.rights]
}

async fn sweep_all(app: &TestApp) {
    while sweep(app.app.context()).await.unwrap() == Did::Something {}
}

/// One row of each kind: an answer, a webhook of an unknown shape, a code, a token with its rights.
async fn one_of_each(app: &TestApp, number: u32) {
    let body = json!({"agent": {"name": "Daily"}}).to_string();
    let headers = [("content-type", "application/json"), ("idempotency-key", &*format!("key {number}"))];
    assert_eq!(app.call_raw(&headers, Method::POST, "/api/v1/agents", Some(body)).await.status, 201);
    let body = json!({"object": "unknown", "number": number}).to_string().into_bytes();
    let signature = signature::sign(&SecretString::from(emulator::APP_SECRET), &body);
    let request = app.request(Method::POST, "/webhooks/whatsapp").header(signature::HEADER, signature);
    assert_eq!(request.body(body).send().await.unwrap().status(), 200);
    app.key_of(&format!("person{number}@example.com")).await;
    assert_eq!(app.call_as(None, Method::POST, "/api/cli/auth/request", Some(json!({}))).await.status, 200);
}

#[tokio::test]
async fn each_kind_of_row_is_deleted_when_its_life_is_over() {
    let app = TestApp::start().await;
    one_of_each(&app, 1).await;
    assert_eq!(rows(&app).await, [1, 1, 1, 1, 1]);
    let mut left = Vec::new();
    for span in [Span::from_mins(9), Span::from_mins(1), Span::from_hours(24), Span::from_hours(14 * 24)] {
        app.clock.forward(span);
        sweep_all(&app).await;
        left.push(rows(&app).await);
    }
    assert_eq!(left, [[1, 1, 1, 1, 1], [1, 1, 0, 1, 1], [0, 1, 0, 1, 1], [0, 0, 0, 1, 1]]);
    app.clock.forward(Span::from_hours(24 * 365));
    one_of_each(&app, 2).await;
    sweep_all(&app).await;
    assert_eq!(rows(&app).await, [1, 1, 1, 1, 1], "those of now stay");
}

#[tokio::test]
async fn sweep_deletes_at_most_a_thousand_answers_in_one_transaction() {
    let app = TestApp::start().await;
    let (context, project, now) = (app.app.context(), app.project, app.clock.now());
    transact!(context.store, "test.fill", tx => {
        for number in 0..2_300 {
            idempotency::claim(tx, project, &format!("key {number}"), b"hash", now).await?;
        }
        store::Result::Ok(())
    })
    .unwrap();
    app.clock.forward(Span::from_hours(25));
    let mut left = Vec::new();
    loop {
        let did = sweep(context).await.unwrap();
        left.push(rows(&app).await[0]);
        if did == Did::Nothing {
            break;
        }
    }
    assert_eq!(left, [1_300, 300, 0]);
}

/// The workers sweep when they start, then every minute.
#[tokio::test]
async fn workers_sweep() {
    let app = TestApp::with(true, |config| config.run_workers = true).await;
    one_of_each(&app, 1).await;
    app.clock.forward(Span::from_hours(15 * 24));
    let app = app.crash_and_restart().await;
    testkit::until(|| async { rows(&app).await[..3] == [0, 0, 0] }).await;
    let metrics = app.metrics().await;
    assert!(metrics.contains("chasqui_rows_swept_total{table=\"webhook_events\"} 1"), "{metrics}");
}
