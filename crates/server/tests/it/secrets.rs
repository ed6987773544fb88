//! `{{secrets.name}}` is filled only in the outgoing request.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{ANA, Service, TestApp};

const SECRET: &str = "hush/hush 42";

fn graph(url: &str) -> Value {
    graph_with(&format!("{url}/#{{id}}?key={{{{secrets.k}}}}"))
}

fn graph_with(url: &str) -> Value {
    json!({
        "nodes": [
            {"name": "__start__"},
            {"name": "w", "type": "WebhookNode", "prompt": "Key: {{secrets.k}}.", "webhook": {
                "url": url, "http_method": "POST",
                "body": {"token": "{{secrets.k}}"}}},
            {"name": "__end__"}],
        "edges": [{"from": "__start__", "to": "w"}, {"from": "w", "to": "__end__", "label": "done"}]})
}

#[tokio::test]
async fn secret_reaches_only_the_service_and_no_model_request_journal_or_event() {
    // The service echoes the request, secret included.
    let service = Service::start(|request| json!({"path": request.path, "body": request.body})).await;
    let app = TestApp::with(true, |config| config.egress_allow = vec!["127.0.0.1/32".parse().unwrap()]).await;
    let set = app.call(Method::PUT, "/api/v1/secrets/k", Some(json!({"secret": {"value": "earlier value"}}))).await;
    assert_eq!(set.status, 204, "{}", set.body);
    let set = app.call(Method::PUT, "/api/v1/secrets/k", Some(json!({"secret": {"value": SECRET}}))).await;
    assert_eq!(set.status, 204, "{}", set.body);
    let agent = app.agent(json!({"name": "Shop", "graph": graph(&service.url())})).await;
    app.activate(ANA, &agent).await;
    app.model().calls(&[("w_request", json!({"id": "a/b {{secrets.k}}"}))]);
    app.model().says("done");
    app.contact_sends(ANA, "x").await;
    app.run_until_idle().await;

    let [request] = &service.requests()[..] else { panic!("one request") };
    assert_eq!(request.path, "/a%2Fb%20%7B%7Bsecrets.k%7D%7D?key=hush%2Fhush%2042");
    assert_eq!(request.body, json!({"token": SECRET}));
    assert_eq!(app.received_texts(ANA).await, ["done"]);
    let result = app.model().last_texts("tool").pop().unwrap();
    assert!(result.contains("key=[redacted]") && result.contains("\"token\":\"[redacted]\""), "{result}");

    let execution = app.execution(&agent).await["id"].as_str().unwrap().to_owned();
    let stored = app.stored_texts().await;
    assert!(stored.iter().any(|text| text.contains("w_request")), "the stored rows were read");
    let events = app.get(&format!("/api/v1/agents/{agent}/executions/{execution}/events?per_page=100")).await;
    let everything = format!("{:?} {:?} {stored:?} {}", app.model().requests(), app.messages().await, events.body);
    for hidden in ["hush/hush", "hush%2Fhush"] {
        assert!(!everything.contains(hidden), "{hidden} was written");
    }
}

#[tokio::test]
async fn request_whose_secret_is_not_set_is_not_made_and_says_so() {
    let service = Service::start(|_| json!({})).await;
    let app = TestApp::with(true, |config| config.egress_allow = vec!["127.0.0.1/32".parse().unwrap()]).await;
    let set = app.call(Method::PUT, "/api/v1/secrets/k", Some(json!({"secret": {"value": SECRET}}))).await;
    assert_eq!(set.status, 204, "{}", set.body);
    let url = format!("{}/#{{id}}?key={{{{secrets.absent}}}}", service.url());
    let agent = app.agent(json!({"name": "Shop", "graph": graph_with(&url)})).await;
    app.activate(ANA, &agent).await;
    app.model().calls(&[("w_request", json!({"id": "1"}))]);
    app.model().says("done");
    app.contact_sends(ANA, "x").await;
    app.run_until_idle().await;

    assert_eq!(service.requests().len(), 0);
    let result = app.model().last_texts("tool").pop().unwrap();
    assert!(result.contains("secret_not_set") && result.contains("no secret named absent"), "{result}");
    let execution = app.execution(&agent).await["id"].as_str().unwrap().to_owned();
    let events = app.get(&format!("/api/v1/agents/{agent}/executions/{execution}/events?per_page=100")).await;
    let warned = events.data().as_array().unwrap().iter().any(|event| event["data"]["path"] == "secrets.absent");
    assert!(warned, "a secret that is not set is warned of: {}", events.body);
}

#[tokio::test]
async fn secret_of_another_project_is_not_used_and_invalid_ones_are_refused() {
    let service = Service::start(|_| json!({})).await;
    let app = TestApp::with(true, |config| config.egress_allow = vec!["127.0.0.1/32".parse().unwrap()]).await;
    let other = app.app.operator().create_project("Other").await.unwrap();
    let (_, key) = app.app.operator().create_key(&other.to_string()).await.unwrap();
    let body = json!({"secret": {"value": SECRET}});
    assert_eq!(app.call_as(Some(&key), Method::PUT, "/api/v1/secrets/k", Some(body.clone())).await.status, 204);
    assert_eq!(app.call_as(None, Method::PUT, "/api/v1/secrets/k", Some(body.clone())).await.status, 401);
    assert_eq!(app.call(Method::PUT, "/api/v1/secrets/k%20k", Some(body)).await.status, 404);
    for body in [json!({}), json!({"secret": {"value": ""}}), json!({"secret": {"value": "x".repeat(5_000)}})] {
        assert!(matches!(app.call(Method::PUT, "/api/v1/secrets/k", Some(body)).await.status, 400 | 422));
    }
    let agent = app.agent(json!({"name": "Shop", "graph": graph(&service.url())})).await;
    app.activate(ANA, &agent).await;
    app.model().calls(&[("w_request", json!({"id": "1"}))]);
    app.model().says("done");
    app.contact_sends(ANA, "x").await;
    app.run_until_idle().await;
    assert_eq!(service.requests().len(), 0, "the project has no such secret");
}
