//! Limits of streams, and what they cost.

use super::client::Client;
use reqwest::Method;
use serde_json::Value;
use std::time::Duration;
use testkit::TestApp;
use uuid::Uuid;

#[tokio::test]
async fn key_may_open_five_streams_of_the_feed() {
    let app = TestApp::start().await;
    let mut open = Vec::new();
    for _ in 0..5 {
        open.push(Client::open(&app).await);
    }
    let follow =
        async || app.request(Method::GET, "/api/v1/events").header("accept", "text/event-stream").send().await.unwrap();
    let refused = follow().await;
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.json::<Value>().await.unwrap()["code"], "too_many_streams");
    open.pop();
    testkit::until(|| async { follow().await.status() == 200 }).await;
}

/// Value of a metric without labels.
async fn metric(app: &TestApp, name: &str) -> f64 {
    let text = app.metrics().await;
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
    line.map_or(0.0, |value| value.parse().unwrap())
}

#[tokio::test]
async fn five_hundred_listeners_cost_one_tail() {
    let mut app = TestApp::with(true, |config| config.projects.streams = 0).await;
    assert_eq!(metric(&app, "chasqui_feed_reads_total").await, 0.0, "without listeners, nothing is read");
    let mut clients = Vec::new();
    for _ in 0..100 {
        app.key = app.app.operator().create_key(&app.project.to_string()).await.unwrap().1;
        for _ in 0..5 {
            clients.push(Client::open(&app).await);
        }
    }
    let (reads, began) = (metric(&app, "chasqui_feed_reads_total").await, std::time::Instant::now());
    for number in 0..20 {
        let object = Uuid::from_u128(number);
        super::append(&app.app, app.project, object).await;
        for client in &mut clients {
            assert_eq!(client.next().await.data["object_id"], object.to_string());
        }
    }
    let reads = metric(&app, "chasqui_feed_reads_total").await - reads;
    // One tail reads at most every 100 ms, and once more.
    let most = began.elapsed().as_millis() as f64 / 100.0 + 2.0;
    assert!(reads <= most && reads >= 20.0, "{reads} reads; at most {most}");
    assert_eq!(metric(&app, "chasqui_feed_listeners").await, 500.0);
    assert_eq!(metric(&app, "chasqui_feed_events_total").await, 20.0, "read once for all");
    drop(clients);
    testkit::until(|| async { metric(&app, "chasqui_feed_listeners").await == 0.0 }).await;
    let reads = metric(&app, "chasqui_feed_reads_total").await;
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert_eq!(metric(&app, "chasqui_feed_reads_total").await, reads, "the tail rests");
}
