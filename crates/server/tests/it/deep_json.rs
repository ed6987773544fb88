//! JSON as deep as a reader lets through: what is stored wraps it, and must be readable again.

use domain::ids::ExecutionId;
use serde_json::{Value, json};
use testkit::{ANA, Service, TestApp};

/// A reader of JSON stops at 128 levels.
fn deep(levels: usize) -> Value {
    (0..levels).fold(json!("bottom"), |inner, _| json!([inner]))
}

#[tokio::test]
async fn deep_arguments_of_a_model_and_deep_answers_of_a_webhook_are_stored_and_read_again() {
    let service = Service::start(|_| deep(120)).await;
    let app = TestApp::with(true, |config| config.egress_allow = vec!["127.0.0.0/8".parse().unwrap()]).await;
    let graph = json!({
        "nodes": [{"name": "__start__"}, {"name": "w", "type": "WebhookNode", "webhook": {"url": format!("{}/x", service.url())}},
            {"name": "__end__"}],
        "edges": [{"from": "__start__", "to": "w"}, {"from": "w", "to": "__end__"}]});
    let agent = app.agent(json!({"name": "Deep", "graph": graph})).await;
    app.activate(ANA, &agent).await;
    app.model().calls(&[
        ("w_request", json!({})),
        ("WaitForUser", json!({})),
        ("send_notification_to_user", json!({"message": deep(120)})),
    ]);
    app.says(ANA, "hi").await;
    // Replays every execution, so reads everything that was stored.
    app.run_until_idle().await;
    app.model().says("Still here.");
    app.says(ANA, "hello?").await;
    app.run_until_idle().await;
    assert_eq!(app.heard(ANA).await, ["Still here."]);
    let id: ExecutionId = app.execution(&agent).await["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(app.app.operator().replay(id).await.unwrap().difference, None);
}

#[tokio::test]
async fn a_payload_that_is_too_deep_is_refused_before_it_is_stored() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Deep"})).await;
    let path = format!("/api/v1/agents/{agent}/executions");
    let body = |levels| json!({"message": {"type": "payload", "content": {"deep": deep(levels)}}});
    let refused = app.post(&path, body(100)).await;
    assert_eq!((refused.status, refused.body["code"].as_str()), (400, Some("json_limits")), "{}", refused.body);
    app.model().calls(&[("MoveToNextNode", json!({"next_node": "__end__", "reason": "done"}))]);
    assert!(app.post(&path, body(24)).await.status < 300);
    app.run_until_idle().await;
}
