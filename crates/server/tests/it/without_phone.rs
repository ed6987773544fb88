//! Executions started without a phone number: they have no contact, so texts stay in the events.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::TestApp;

async fn events(app: &TestApp, agent: &str, id: &str) -> Vec<Value> {
    let path = format!("/api/v1/agents/{agent}/executions/{id}/events?per_page=100");
    app.get(&path).await.data().as_array().unwrap().clone()
}

#[tokio::test]
async fn execution_without_a_phone_runs_waits_and_resumes() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Desk"})).await;
    app.model().says("What size?");
    app.model().says("Noted.");
    let started = app.post(&format!("/api/v1/agents/{agent}/executions"), json!({"message": "a shirt"})).await;
    assert_eq!(started.status, 202, "{}", started.body);
    let id = started.id();
    app.run_until_idle().await;
    let path = format!("/api/v1/agents/{agent}/executions/{id}");
    let waiting = app.get(&path).await;
    assert_eq!((&waiting.data()["status"], &waiting.data()["error"]), (&json!("paused"), &Value::Null));
    let resumed = app.call(Method::POST, &format!("{path}/resume"), Some(json!({"message": "42"}))).await;
    assert_eq!(resumed.status, 200, "{}", resumed.body);
    app.run_until_idle().await;

    let events = events(&app, &agent, &id).await;
    let of = |kind: &str| events.iter().filter(|event| event["name"] == kind).collect::<Vec<_>>();
    let texts: Vec<&str> = of("message.sent").iter().filter_map(|event| event["data"]["text"].as_str()).collect();
    assert_eq!(texts, ["What size?", "Noted."]);
    assert_eq!(of("message.failed").len(), 0);
    let conversation = waiting.data()["whatsapp_conversation_id"].as_str().unwrap().to_owned();
    let messages = app.get(&format!("/api/v1/whatsapp_conversations/{conversation}/whatsapp_messages")).await;
    assert_eq!(messages.body["meta"]["total_count"], 2, "they are messages of its conversation too: {}", messages.body);
}

#[tokio::test]
async fn events_name_the_model_and_show_what_tools_returned() {
    let app = TestApp::start().await;
    let webhook =
        json!({"url": "https://shop.example/x", "mock_response_enabled": true, "mock_response": {"price": 3}});
    let graph = json!({
        "nodes": [{"name": "__start__"}, {"name": "w", "type": "WebhookNode", "webhook": webhook}, {"name": "__end__"}],
        "edges": [{"from": "__start__", "to": "w"}, {"from": "w", "to": "__end__", "label": "done"}]});
    let agent = app.agent(json!({"name": "Shop", "graph": graph})).await;
    app.model().calls(&[("w_request", json!({}))]);
    app.model().says("3 euros");
    let id = app.post(&format!("/api/v1/agents/{agent}/executions"), json!({"message": "price?"})).await.id();
    app.run_until_idle().await;
    let events = events(&app, &agent, &id).await;
    let data = |kind: &str| &events.iter().find(|event| event["name"] == kind).unwrap()["data"];
    assert!(data("llm.requested")["model"].is_string(), "{events:?}");
    assert_eq!(data("tool.result")["result"]["content"]["price"], 3);
    let id = &data("tool.called")["call_id"];
    assert_eq!((&data("llm.responded")["tool_calls"][0]["id"], &data("tool.result")["call_id"]), (id, id));
}
