//! A project's own number and executions started through the API.

use domain::Span;
use serde_json::json;
use testkit::{ANA, TestApp};

#[tokio::test]
async fn execution_without_a_contact_runs_to_its_end() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Batch"})).await;
    app.model().calls(&[("MoveToNextNode", json!({"next_node": "end", "reason": "done"}))]);
    let body = json!({"message": {"type": "payload", "content": {"order": 1}}});
    let started = app.post(&format!("/api/v1/agents/{agent}/executions"), body).await;
    assert_eq!((started.status, started.data()["status"].as_str()), (202, Some("started")));
    assert_eq!(started.data()["ended_at"], json!(null));
    app.run_until_idle().await;
    let ended = app.execution(&agent).await;
    assert_eq!(ended["status"], "ended");
    assert_eq!(ended["duration"], 0);
    assert!(app.model().last_texts("user")[0].contains("{\"order\":1}"));
}

#[tokio::test]
async fn api_execution_messages_a_phone_with_an_active_sandbox_session() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Caller"})).await;
    app.activate(ANA, &agent).await;
    app.model().says("Your order is ready.");
    let body = json!({"message": "tell them", "phone_number": ANA});
    let started = app.post(&format!("/api/v1/agents/{agent}/executions"), body.clone()).await;
    assert_eq!(started.status, 202);
    app.run_until_idle().await;
    assert_eq!(app.received_texts(ANA).await, ["Your order is ready."]);
    let again = app.post(&format!("/api/v1/agents/{agent}/executions"), body).await;
    assert_eq!((again.status, again.body["code"].as_str()), (409, Some("execution_active")));
    // The reply belongs to the execution started through the API.
    app.model().says("Bye.");
    app.contact_sends(ANA, "thanks").await;
    app.run_until_idle().await;
    assert_eq!(app.execution(&agent).await["id"], started.data()["id"]);
}

#[tokio::test]
async fn unreachable_phone_is_refused() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Caller"})).await;
    let refused =
        app.post(&format!("/api/v1/agents/{agent}/executions"), json!({"message": "hi", "phone_number": ANA})).await;
    assert_eq!((refused.status, refused.body["details"][0]["code"].as_str()), (422, Some("phone_unreachable")));
    assert_eq!(app.get(&format!("/api/v1/agents/{agent}/executions")).await.data(), &json!([]), "nothing was stored");
}

#[tokio::test]
async fn executions_can_be_filtered_and_paged() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Batch"})).await;
    for _ in 0..3 {
        app.model().calls(&[("MoveToNextNode", json!({"next_node": "end", "reason": "done"}))]);
        app.post(&format!("/api/v1/agents/{agent}/executions"), json!({"message": "go"})).await.data();
        app.forward(Span::from_secs(10)).await;
    }
    let path = format!("/api/v1/agents/{agent}/executions");
    let page = app.get(&format!("{path}?per_page=2&q[status_eq]=ended")).await;
    assert_eq!(page.data().as_array().unwrap().len(), 2);
    assert_eq!(page.body["meta"], json!({"page": 1, "per_page": 2, "total_pages": 2, "total_count": 3}));
    assert_eq!((page.headers["total"].as_str(), page.headers["total-pages"].as_str()), ("3", "2"));
    assert!(page.headers["link"].contains("rel=\"next\""));
    let times: Vec<&str> =
        page.data().as_array().unwrap().iter().map(|run| run["started_at"].as_str().unwrap()).collect();
    assert!(times[0] > times[1], "newest first");
    assert_eq!(app.get(&format!("{path}?q[status_eq]=paused")).await.data(), &json!([]));
    let since = app.get(&format!("{path}?q[started_at_gteq]={}", times[0])).await;
    assert_eq!(since.data().as_array().unwrap().len(), 1);
    for bad in ["page=0", "per_page=101", "page=x", "q[status_eq]=asleep", "q[started_at_gteq]=yesterday"] {
        assert_eq!(app.get(&format!("{path}?{bad}")).await.status, 422, "{bad}");
    }
}
