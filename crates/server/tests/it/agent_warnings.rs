//! `warnings` of a saved agent: what is probably wrong in it, next to the saved data.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::TestApp;

fn graph() -> Value {
    let webhook = json!({"url": "https://shop.example/{{order}}", "headers": {"X-Key": "{{secrets.shop}}"}});
    json!({
        "nodes": [
            {"name": "__start__"},
            {"name": "ask", "prompt": "Order #{order}, key {{secrets.shop}}, {{order}}."},
            {"name": "w", "type": "WebhookNode", "webhook": webhook},
            {"name": "lost"},
            {"name": "__end__"}],
        "edges": [
            {"from": "__start__", "to": "ask"},
            {"from": "ask", "to": "w", "label": "has a number"},
            {"from": "w", "to": "__end__", "label": "done"},
            {"from": "lost", "to": "__end__", "label": "done"}]})
}

fn codes(answer: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let warnings = answer["warnings"].as_array().unwrap_or_else(|| panic!("{answer}"));
    warnings.iter().map(|warning| (text(&warning["path"]), text(&warning["code"]))).collect()
}

#[tokio::test]
async fn saving_an_agent_lists_what_is_probably_wrong() {
    let app = TestApp::start().await;
    let made = app.post("/api/v1/agents", json!({"agent": {"name": "Shop", "graph": graph()}})).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let at = |path: &str, code: &str| (format!("/agent/graph/{path}"), code.to_owned());
    let mut expected = vec![
        at("nodes/1/prompt", "argument_in_prompt"),
        at("nodes/1/prompt", "secret_in_prompt"),
        at("nodes/1/prompt", "unknown_variable"),
        at("nodes/2", "secret_not_set"),
        at("nodes/2/webhook", "unknown_variable"),
        at("nodes/3", "unreachable_node"),
    ];
    expected.sort();
    let mut found = codes(&made.body);
    found.sort();
    assert_eq!(found, expected);

    let set = app.call(Method::PUT, "/api/v1/secrets/shop", Some(json!({"secret": {"value": "x"}}))).await;
    assert_eq!(set.status, 204);
    let path = format!("/api/v1/agents/{}", made.id());
    let saved = app.patch(&path, json!({"agent": {"graph": graph()}})).await;
    assert!(!codes(&saved.body).contains(&at("nodes/2", "secret_not_set")), "{}", saved.body);
    let renamed = app.patch(&path, json!({"agent": {"name": "Shop 2"}})).await;
    assert_eq!((renamed.status, codes(&renamed.body)), (200, vec![]), "nothing is said of a graph that was not sent");
}

#[tokio::test]
async fn starter_agent_has_no_warnings() {
    let app = TestApp::start().await;
    let made = app.post("/api/v1/agents", json!({"agent": {"name": "Desk"}})).await;
    assert_eq!(made.body["warnings"], json!([]));
}
