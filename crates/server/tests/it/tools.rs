//! Webhook tools: the model's call, the HTTP request, and the result given to the model.

use emulator::orders;
use serde_json::{Value, json};
use testkit::{ANA, TestApp};

fn graph(url: &str) -> Value {
    json!({
        "nodes": [
            {"name": "__start__", "type": "DefaultNode"},
            {"name": "status", "type": "SubagentNode", "prompt": "Look it up.",
             "subagent": {"webhooks": [{"name": "orders", "description": "Looks an order up", "url": url, "http_method": "GET",
                 "headers": {"X-Shop-Key": "hush-hush"}, "jmespath_query": "status"}]}},
            {"name": "__end__", "type": "DefaultNode"}],
        "edges": [{"from": "__start__", "to": "status"}, {"from": "status", "to": "__end__", "label": "done"}]})
}

#[tokio::test]
async fn tool_call_reaches_the_service_and_its_result_the_model() {
    let service = orders::start("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let app = TestApp::with(true, |config| config.egress_allow = vec!["127.0.0.1/32".parse().unwrap()]).await;
    let agent = app
        .agent(json!({"name": "Shop", "graph": graph(&format!("{}/orders/#{{order_number}}", service.url()))}))
        .await;
    app.activate(ANA, &agent).await;

    app.model().calls(&[("orders_request", json!({"order_number": "1042"}))]);
    app.model().says("It is on its way.");
    app.contact_sends(ANA, "where is 1042?").await;
    app.run_until_idle().await;

    assert_eq!(service.requests(), 1);
    assert_eq!(app.received_texts(ANA).await, ["It is on its way."]);
    let request = app.model().requests().remove(0);
    let tool =
        request["tools"].as_array().unwrap().iter().find(|tool| tool["function"]["name"] == "orders_request").unwrap();
    assert_eq!(tool["function"]["parameters"]["required"], json!(["order_number"]));
    assert_eq!(
        app.model().last_texts("tool").last().unwrap(),
        "shipped",
        "the builder's query selects from the answer"
    );
    let everything = format!("{:?}", app.model().requests());
    assert!(!everything.contains("hush-hush"), "headers never reach the model");
}

#[tokio::test]
async fn private_address_is_blocked_and_reported_to_the_model() {
    let service = orders::start("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let app = TestApp::start().await;
    let agent = app
        .agent(json!({"name": "Shop", "graph": graph(&format!("{}/orders/#{{order_number}}", service.url()))}))
        .await;
    app.activate(ANA, &agent).await;
    app.model().calls(&[("orders_request", json!({"order_number": "1042"}))]);
    app.model().says("I cannot look that up.");
    app.contact_sends(ANA, "where is 1042?").await;
    app.run_until_idle().await;
    assert_eq!(service.requests(), 0);
    assert!(app.model().last_texts("tool").last().unwrap().contains("blocked_address"));
}

#[tokio::test]
async fn several_tool_calls_run_in_order_and_invalid_ones_get_errors() {
    let service = orders::start("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let app = TestApp::with(true, |config| config.egress_allow = vec!["127.0.0.1/32".parse().unwrap()]).await;
    let agent = app
        .agent(json!({"name": "Shop", "graph": graph(&format!("{}/orders/#{{order_number}}", service.url()))}))
        .await;
    app.activate(ANA, &agent).await;
    app.model().calls(&[
        ("send_notification_to_user", json!({"message": "One moment."})),
        ("orders_request", json!({})),
        ("delete_everything", json!({})),
        ("orders_request", json!({"order_number": 1043})),
    ]);
    app.model().says("Done.");
    app.contact_sends(ANA, "look").await;
    app.run_until_idle().await;
    assert_eq!(app.received_texts(ANA).await, ["One moment.", "Done."]);
    let results = app.model().last_texts("tool");
    let results = &results[results.len() - 4..];
    assert!(
        results[0].contains("sent") && results[1].contains("invalid_arguments") && results[2].contains("unknown_tool"),
        "{results:?}"
    );
    assert_eq!(results[3], "processing", "a number is accepted where the schema requires a string");
    assert_eq!(service.requests(), 1);
}
