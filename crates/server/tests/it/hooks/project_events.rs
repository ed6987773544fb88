//! Events that only endpoints of the project get: templates, numbers, test runs.

use super::{KEY, assert_signed, header, receiver, subscribe_project, with_number};
use domain::Span;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Service, TestApp};

/// Bodies of the events with a name, each of which is signed.
fn bodies(receiver: &Service, event: &str) -> Vec<Value> {
    let requests = receiver.requests();
    let of_event = requests.iter().filter(|request| header(request, "x-webhook-event") == event);
    of_event
        .map(|request| {
            assert_signed(request, KEY);
            request.body.clone()
        })
        .collect()
}

async fn subscribed(app: &TestApp, event: &str) -> Service {
    let receiver = receiver().await;
    subscribe_project(app, &receiver.url(), &[event], json!({})).await;
    receiver
}

#[tokio::test]
async fn each_status_of_a_template_is_reported_with_the_one_before() {
    let (app, _) = with_number().await;
    let receiver = subscribed(&app, "whatsapp.template.status").await;
    let template = json!({"name": "visit", "language_code": "pt_BR", "category": "UTILITY",
        "components": [{"type": "BODY", "text": "Até amanhã."}]});
    let id = app.post("/api/v1/whatsapp_templates", json!({"template": template})).await.id();
    app.post(&format!("/api/v1/whatsapp_templates/{id}/submit"), json!({})).await.data();
    // Both events would be posted at once otherwise, and only conversations keep an order.
    app.run_until_idle().await;
    app.forward(Span::from_secs(1)).await;
    app.run_until_idle().await;
    let shown: Vec<Value> = bodies(&receiver, "whatsapp.template.status")
        .iter()
        .map(|body| {
            let template = &body["template"];
            assert_eq!((&template["id"], &template["name"]), (&json!(id), &json!("visit")));
            json!([template["previous_status"], template["status"]])
        })
        .collect();
    assert_eq!(shown, [json!(["draft", "submitted"]), json!(["submitted", "approved"])]);
}

#[tokio::test]
async fn number_that_loses_its_proof_and_gets_it_back_is_reported() {
    let (app, config) = with_number().await;
    let receiver = subscribed(&app, "whatsapp.number.health").await;
    let path = format!("/api/v1/whatsapp_configs/{config}");
    for token in ["EAAEXPIRED", "EAAEMULATORTOKEN"] {
        let change = json!({"whatsapp_config": {"access_token": token}});
        app.call(Method::PATCH, &path, Some(change)).await.data();
        app.run_until_idle().await;
    }
    let shown: Vec<Value> = bodies(&receiver, "whatsapp.number.health")
        .iter()
        .map(|body| {
            assert_eq!(body["whatsapp_config"]["id"], config.as_str());
            json!([body["whatsapp_config"]["status"], body["whatsapp_config"]["failure"]])
        })
        .collect();
    assert_eq!(shown, [json!(["unhealthy", "token_invalid"]), json!(["healthy", null])]);
}

#[tokio::test]
async fn finished_test_run_is_reported_with_its_result() {
    let (app, _) = with_number().await;
    let receiver = subscribed(&app, "test_run.finished").await;
    let agent = app.agent(json!({"name": "Plain"})).await;
    let cases = json!([{"name": "Greets", "script": "Say hello.", "rubric": "It greets."}]);
    let suite = json!({"test_suite": {"name": "Smoke", "agent_id": agent, "test_cases": cases}});
    let suite = app.post("/api/v1/test_suites", suite).await;
    let case = suite.data()["test_cases"][0]["id"].as_str().unwrap().to_owned();
    app.model().calls(&[("send_user_message", json!({"message": "hello"}))]);
    app.model().says("Hi!");
    app.model().calls(&[("send_user_message", json!({"message": "CONVERSATION_ENDED"}))]);
    app.model().calls(&[("grade_conversation", json!({"score": 1.0, "feedback": "- [pass] it greets"}))]);
    let start = json!({"agent_test_run": {}, "run_now": true});
    let run = app.post(&format!("/api/v1/test_cases/{case}/test_runs"), start).await.id();
    assert_eq!(bodies(&receiver, "test_run.finished").len(), 0, "it runs");
    app.run_until_idle().await;
    let bodies = bodies(&receiver, "test_run.finished");
    assert_eq!(bodies.len(), 1);
    let shown = &bodies[0]["test_run"];
    assert_eq!((&shown["id"], &shown["agent_id"]), (&json!(run), &json!(agent)));
    assert_eq!((&shown["status"], &shown["score"]), (&json!("completed"), &json!(1.0)));
    assert_eq!((&shown["feedback"], &shown["error"]), (&json!("- [pass] it greets"), &Value::Null));
}
