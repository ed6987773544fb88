//! One step of an execution: its model request as it was sent, its effects and their results.

use serde_json::{Value, json};
use testkit::{ANA, TestApp};

/// An agent talks for three turns. Returns the execution and its events.
async fn talked(app: &TestApp) -> (String, Vec<Value>) {
    let agent = app.agent(json!({"name": "Desk", "system_prompt": "Be kind. \u{1F44B} \"quoted\""})).await;
    app.activate(ANA, &agent).await;
    for n in 0..3 {
        app.model().says(&format!("Answer {n} \u{e9}\n<b>"));
        app.contact_sends(ANA, &format!("question {n} / ñ")).await;
        app.run_until_idle().await;
    }
    let execution = app.execution(&agent).await["id"].as_str().unwrap().to_owned();
    let events = app.get(&format!("/api/v1/agents/{agent}/executions/{execution}/events?per_page=100")).await;
    (execution, events.data().as_array().unwrap().clone())
}

#[tokio::test]
async fn model_request_of_a_step_equals_what_the_model_received_byte_for_byte() {
    let app = TestApp::start().await;
    let (execution, events) = talked(&app).await;
    let asked = events.iter().filter(|event| event["name"] == "llm.requested");
    let mut shown = Vec::new();
    for event in asked {
        let path = format!("/api/v1/executions/{execution}/steps/{}", event["step"]);
        let step = app.get(&path).await.data().clone();
        assert_eq!(step["step"], event["step"]);
        assert!(step["events"].as_array().unwrap().contains(event), "{step}");
        assert_eq!(step["model_request"]["model"], "scripted-1");
        shown.push(step["model_request"]["body"].as_str().unwrap().to_owned());
        let answer = step["outcome"]["response"]["text"].as_str().unwrap_or_default();
        assert!(answer.starts_with("Answer"), "{}", step["outcome"]);
    }
    assert_eq!(shown.len(), 3);
    assert_eq!(shown, app.model().bodies());
}

#[tokio::test]
async fn step_without_a_model_call_has_no_request_and_unknown_steps_are_not_found() {
    let app = TestApp::start().await;
    let (execution, events) = talked(&app).await;
    let sent = events.iter().find(|event| event["name"] == "message.sent").unwrap();
    let step = app.get(&format!("/api/v1/executions/{execution}/steps/{}", sent["step"])).await.data().clone();
    let asks = step["effects"].as_array().unwrap().iter().any(|effect| effect["effect"] == "call_model");
    assert_eq!(step["model_request"] == Value::Null, !asks, "{step}");
    let first = app.get(&format!("/api/v1/executions/{execution}/steps/1")).await.data().clone();
    assert_eq!(first["step"], 1);
    let ours = execution.as_str();
    for (execution, step) in [(ours, "0"), (ours, "9999"), (ours, "x"), ("x", "1")] {
        assert_eq!(app.get(&format!("/api/v1/executions/{execution}/steps/{step}")).await.status, 404, "{step}");
    }
    let other = TestApp::start().await;
    assert_eq!(other.get(&format!("/api/v1/executions/{execution}/steps/1")).await.status, 404);
}

#[tokio::test]
async fn damaged_journal_is_no_error_but_a_request_that_cannot_be_rebuilt() {
    let app = TestApp::start().await;
    let (execution, events) = talked(&app).await;
    let asked = events.iter().rfind(|event| event["name"] == "llm.requested").unwrap();
    let (context, project) = (app.app.context(), app.project);
    let id = execution.parse().unwrap();
    let changed = store::transact!(context.store, "test.damage", tx => {
        store::journal::damage(tx, project, id, "question 0", "question 9").await
    });
    assert!(changed.unwrap() > 0);
    let step = app.get(&format!("/api/v1/executions/{execution}/steps/{}", asked["step"])).await;
    assert_eq!(step.status, 200, "{}", step.body);
}
