//! Repeated and concurrent requests with one `Idempotency-Key` have one effect.

use domain::Span;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use testkit::TestApp;

struct Given {
    status: u16,
    replayed: bool,
    body: Value,
}

async fn send(app: &TestApp, key: &str, path: &str, body: &Value) -> Given {
    let request = app.request(Method::POST, path).header("idempotency-key", key).json(body);
    let answer = request.send().await.unwrap();
    let (status, replayed) = (answer.status().as_u16(), answer.headers().contains_key("idempotency-replayed"));
    Given { status, replayed, body: answer.json().await.unwrap() }
}

fn agent(name: &str) -> Value {
    json!({"agent": {"name": name}})
}

#[tokio::test]
async fn fifty_creates_with_one_key_make_one_agent_and_get_one_response() {
    let app = TestApp::start().await;
    let body = agent("Once");
    let sent = (0..50).map(|_| send(&app, "k1", "/api/v1/agents", &body));
    let answers = futures::future::join_all(sent).await;
    let bodies: BTreeSet<String> = answers.iter().map(|given| given.body.to_string()).collect();
    assert!(answers.iter().all(|given| given.status == 201) && bodies.len() == 1, "{bodies:?}");
    assert_eq!(answers.iter().filter(|given| !given.replayed).count(), 1);
    assert_eq!(app.get("/api/v1/agents").await.body["meta"]["total_count"], 1);
}

#[tokio::test]
async fn key_reused_with_another_body_or_route_is_refused() {
    let app = TestApp::start().await;
    assert_eq!(send(&app, "k", "/api/v1/agents", &agent("One")).await.status, 201);
    let other = send(&app, "k", "/api/v1/agents", &agent("Two")).await;
    assert_eq!((other.status, other.body["code"].as_str()), (422, Some("idempotency_mismatch")));
    assert_eq!(other.body["error"], "Idempotency-Key was used for another request");
    assert_eq!(send(&app, "k", "/api/v1/agents?x=1", &agent("One")).await.status, 422);
    assert_eq!(send(&app, "k2", "/api/v1/agents", &agent("One")).await.status, 201);
    assert_eq!(app.get("/api/v1/agents").await.body["meta"]["total_count"], 2);
}

#[tokio::test]
async fn refused_request_leaves_its_key_free() {
    let app = TestApp::start().await;
    assert_eq!(send(&app, "k", "/api/v1/agents", &agent(" ")).await.status, 422);
    assert_eq!(send(&app, "k", "/api/v1/agents", &agent("Named")).await.status, 201);
    // Refused inside the transaction, after the key was claimed.
    let missing = json!({"phone_number": "+5511999990001"});
    let id = app.get("/api/v1/agents").await.data()[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/agents/{id}/executions");
    assert_eq!(send(&app, "k3", &path, &missing).await.status, 422);
    assert_eq!(send(&app, "k3", &path, &json!({})).await.status, 202);
}

#[tokio::test]
async fn key_expires_after_a_day_and_belongs_to_its_project() {
    let app = TestApp::start().await;
    let first = send(&app, "k", "/api/v1/agents", &agent("Daily")).await;
    app.forward(Span::from_hours(23)).await;
    assert!(send(&app, "k", "/api/v1/agents", &agent("Daily")).await.replayed);
    app.forward(Span::from_hours(1)).await;
    let later = send(&app, "k", "/api/v1/agents", &agent("Daily")).await;
    assert!(!later.replayed && later.body["data"]["id"] != first.body["data"]["id"]);

    let other = app.app.operator().create_project("Other").await.unwrap();
    let (_, key) = app.app.operator().create_key(&other.to_string()).await.unwrap();
    let request = app.request(Method::POST, "/api/v1/agents").header("idempotency-key", "k");
    let mut request = request.json(&agent("Daily")).build().unwrap();
    request.headers_mut().insert("x-api-key", key.parse().unwrap());
    let answer = reqwest::Client::builder().no_proxy().build().unwrap().execute(request).await.unwrap();
    assert!(answer.status() == 201 && !answer.headers().contains_key("idempotency-replayed"));
}

#[tokio::test]
async fn too_long_key_is_refused_and_key_on_get_is_ignored() {
    let app = TestApp::start().await;
    let long = send(&app, &"k".repeat(256), "/api/v1/agents", &agent("x")).await;
    assert_eq!((long.status, long.body["details"][0]["path"].as_str()), (422, Some("/Idempotency-Key")));
    assert_eq!(send(&app, &"k".repeat(255), "/api/v1/agents", &agent("x")).await.status, 201);
    let get = app.request(Method::GET, "/api/v1/agents").header("idempotency-key", "g").send().await.unwrap();
    assert_eq!(get.status(), 200);
}

#[tokio::test]
async fn fifty_sends_with_one_key_deliver_one_message_and_get_one_response() {
    let app = TestApp::start().await;
    let made = app.agent(json!({"name": "Plain"})).await;
    app.activate(testkit::ANA, &made).await;
    let conversation = app.get("/api/v1/whatsapp_conversations").await.data()[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/whatsapp_conversations/{conversation}/whatsapp_messages");
    let alone = "/api/v1/whatsapp_messages".to_owned();
    let text = |text: &str| json!({"message": {"phone_number": testkit::ANA, "content": text}});
    for (key, path) in [("in it", &path), ("alone", &alone)] {
        let body = text(key);
        // A caller that is refused because the first request still runs tries again.
        let patiently = || async {
            loop {
                let given = send(&app, key, path, &body).await;
                if !matches!(given.status, 409 | 503) {
                    return given;
                }
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        let answers = futures::future::join_all((0..50).map(|_| patiently())).await;
        let bodies: BTreeSet<String> = answers.iter().map(|given| given.body.to_string()).collect();
        assert!(answers.iter().all(|given| given.status == 201) && bodies.len() == 1, "{bodies:?}");
        assert_eq!(answers.iter().filter(|given| !given.replayed).count(), 1);
        let other = send(&app, key, path, &text("something else")).await;
        assert_eq!((other.status, other.body["code"].as_str()), (422, Some("idempotency_mismatch")));
        app.run_until_idle().await;
        app.forward(Span::from_mins(2)).await;
        assert_eq!(send(&app, key, path, &body).await.body, answers[0].body, "the file is deleted after the send, too");
    }
    assert_eq!(app.received_texts(testkit::ANA).await, ["in it", "alone"]);
}
