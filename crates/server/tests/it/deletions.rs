//! Deletion of agents, sandbox sessions and secrets, and the lists of secrets and snapshots.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{ANA, Answer, OTHER_NUMBER_ID, TestApp};

async fn delete(app: &TestApp, path: &str) -> Answer {
    app.call(Method::DELETE, &format!("/api/v1/{path}"), None).await
}

async fn names(app: &TestApp, path: &str) -> Vec<String> {
    let list = app.get(&format!("/api/v1/{path}")).await;
    list.data().as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn deleted_agent_stops_its_executions_and_is_found_nowhere() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Desk"})).await;
    app.agent(json!({"name": "Other"})).await;
    app.activate(ANA, &agent).await;
    app.model().says("What size?");
    app.contact_sends(ANA, "a shirt").await;
    app.run_until_idle().await;
    let execution = app.execution(&agent).await["id"].as_str().unwrap().to_owned();
    let conversation = app.conversation().await;
    let suite = app.get(&format!("/api/v1/agents/{agent}/test_suites")).await.data()[0]["id"].clone();
    let suite = suite.as_str().unwrap();

    let deleted = delete(&app, &format!("agents/{agent}")).await;
    assert_eq!(deleted.status, 204, "{}", deleted.body);
    app.run_until_idle().await;
    assert_eq!(names(&app, "agents").await, ["Other"]);
    assert_eq!(app.get("/api/v1/agents").await.body["meta"]["total_count"], 1);
    for path in [format!("agents/{agent}"), format!("agents/{agent}/graph"), format!("test_suites/{suite}")] {
        assert_eq!(app.get(&format!("/api/v1/{path}")).await.status, 404, "{path}");
    }
    assert_eq!(delete(&app, &format!("agents/{agent}")).await.status, 404);
    assert_eq!(app.get("/api/v1/sandbox_sessions").await.body["meta"]["total_count"], 0);
    let path = format!("/api/v1/whatsapp_conversations/{conversation}/agent_executions");
    let list = app.get(&path).await;
    assert_eq!(list.data()[0]["agent_execution"]["status"], "stopped", "{}", list.body);
    let read = app.get(&format!("/api/v1/agents/{agent}/executions/{execution}")).await;
    assert_eq!(read.data()["status"], "stopped", "its executions stay readable");
    app.contact_sends(ANA, "hello?").await;
    app.run_until_idle().await;
    assert_eq!(app.model().requests().len(), 1, "no agent answers any more");
}

#[tokio::test]
async fn agent_that_answers_on_a_number_is_not_deleted() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Desk"})).await;
    let (_, config) = app.connect(OTHER_NUMBER_ID).await;
    let links = format!("agents/{agent}/agent_whatsapp_configs");
    let body = json!({"agent_whatsapp_config": {"whatsapp_config_id": config}});
    let link = app.post(&format!("/api/v1/{links}"), body).await.id();
    let refused = delete(&app, &format!("agents/{agent}")).await;
    assert_eq!((refused.status, refused.body["code"].as_str()), (409, Some("agent_linked")), "{}", refused.body);
    assert_eq!(delete(&app, &format!("{links}/{link}")).await.status, 204);
    assert_eq!(delete(&app, &format!("agents/{agent}")).await.status, 204);
}

#[tokio::test]
async fn deleted_sandbox_session_lets_its_phone_talk_to_no_agent() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Desk"})).await;
    let session = app.activate(ANA, &agent).await;
    let code = app.get(&format!("/api/v1/sandbox_sessions/{session}")).await.data()["activation_code"].clone();
    assert_eq!(delete(&app, &format!("sandbox_sessions/{session}")).await.status, 204);
    assert_eq!(delete(&app, &format!("sandbox_sessions/{session}")).await.status, 404);
    for text in ["hello", code.as_str().unwrap()] {
        app.contact_sends(ANA, text).await;
        app.run_until_idle().await;
    }
    assert_eq!(app.model().requests().len(), 0);
    assert_eq!(app.get("/api/v1/sandbox_sessions").await.body["meta"]["total_count"], 0);
}

#[tokio::test]
async fn sandbox_session_is_restarted_with_the_saved_agent() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Desk", "system_prompt": "Old."})).await;
    let session = app.activate(ANA, &agent).await;
    app.model().says("?");
    app.contact_sends(ANA, "x").await;
    app.run_until_idle().await;
    let saved = app.patch(&format!("/api/v1/agents/{agent}"), json!({"agent": {"system_prompt": "New."}})).await;
    assert_eq!(saved.body["warnings"][0]["code"], "executions_running", "{}", saved.body);
    let restarted = app.post(&format!("/api/v1/sandbox_sessions/{session}/restart"), json!({})).await;
    assert_eq!(restarted.data()["status"], "active");
    app.run_until_idle().await;
    assert_eq!(app.execution(&agent).await["status"], "stopped");
    app.model().says("!");
    app.contact_sends(ANA, "y").await;
    app.run_until_idle().await;
    let asked = app.model().requests().pop().unwrap().to_string();
    assert!(asked.contains("New.") && !asked.contains("Old."), "{asked}");
    let saved = app.patch(&format!("/api/v1/agents/{agent}"), json!({"agent": {"name": "Front desk"}})).await;
    assert_eq!(saved.body["warnings"], json!([]), "the state is the same");
}

#[tokio::test]
async fn secrets_are_listed_by_name_and_deleted() {
    let app = TestApp::start().await;
    for (name, value) in [("shop", "one"), ("bank", "two"), ("shop", "three")] {
        app.forward(domain::Span::from_secs(1)).await;
        let body = json!({"secret": {"value": value}});
        assert_eq!(app.call(Method::PUT, &format!("/api/v1/secrets/{name}"), Some(body)).await.status, 204);
    }
    assert_eq!(names(&app, "secrets").await, ["bank", "shop"]);
    let list = app.get("/api/v1/secrets").await;
    assert!(!list.body.to_string().contains("three") && list.body["meta"]["total_count"] == 2, "{}", list.body);
    assert_eq!(delete(&app, "secrets/shop").await.status, 204);
    assert_eq!(delete(&app, "secrets/shop").await.status, 404);
    assert_eq!(names(&app, "secrets").await, ["bank"]);
}

#[tokio::test]
async fn snapshots_of_an_agent_are_listed_newest_first() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Desk"})).await;
    app.forward(domain::Span::from_secs(60)).await;
    app.patch(&format!("/api/v1/agents/{agent}"), json!({"agent": {"system_prompt": "Be kind."}})).await.data();
    let list = app.get(&format!("/api/v1/agents/{agent}/agent_snapshots")).await;
    let rows = list.data().as_array().unwrap();
    let current: Vec<&Value> = rows.iter().map(|row| &row["current"]).collect();
    assert_eq!(current, [&json!(true), &json!(false)], "{}", list.body);
    for row in rows {
        let read = app.get(&format!("/api/v1/agent_snapshots/{}", row["id"].as_str().unwrap())).await;
        assert_eq!(read.data()["name"], row["name"]);
    }
}
