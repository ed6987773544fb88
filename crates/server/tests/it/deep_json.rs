//! JSON at the accepted nesting limit must stay readable after storage wraps it.

use domain::ids::ExecutionId;
use serde_json::{Value, json};
use testkit::{ANA, Service, TestApp};

/// serde_json stops at 128 levels.
fn deep(levels: usize) -> Value {
    (0..levels).fold(json!("bottom"), |inner, _| json!([inner]))
}

#[tokio::test]
async fn deeply_nested_tool_arguments_and_results_survive_a_replay() {
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
    app.contact_sends(ANA, "hi").await;
    // Replays every execution and so reads all stored JSON.
    app.run_until_idle().await;
    app.model().says("Still here.");
    app.contact_sends(ANA, "hello?").await;
    app.run_until_idle().await;
    assert_eq!(app.received_texts(ANA).await, ["Still here."]);
    let id: ExecutionId = app.execution(&agent).await["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(app.app.operator().replay(id).await.unwrap().difference, None);
}

#[tokio::test]
async fn too_deep_payload_is_refused_and_not_stored() {
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
