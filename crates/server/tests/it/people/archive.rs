//! Archived projects store what they receive, and do no work.

use domain::Span;
use reqwest::Method;
use runtime::workers::{Work, find_due};
use serde_json::json;
use std::time::Duration;
use testkit::{ANA, OWN_NUMBER_ID, Service, TestApp};

async fn archive(app: &TestApp, archived: bool) {
    app.app.operator().archive_project("Tests", archived).await.unwrap();
}

async fn conversation_with_agent(app: &TestApp) {
    let agent = app.agent(json!({"name": "Desk"})).await;
    app.activate(ANA, &agent).await;
    app.model().says("Hello.");
    app.contact_sends(ANA, "hi").await;
    app.run_until_idle().await;
}

#[tokio::test]
async fn message_to_an_archived_project_is_stored_and_answered_after_the_restore() {
    let app = TestApp::start().await;
    conversation_with_agent(&app).await;
    let (asked, sent) = (app.model().requests().len(), app.received_texts(ANA).await.len());
    archive(&app, true).await;
    app.contact_sends(ANA, "are you there?").await;
    app.run_until_idle().await;
    app.forward(Span::from_mins(10)).await;
    assert_eq!((app.model().requests().len(), app.received_texts(ANA).await.len()), (asked, sent));
    let conversation = app.conversation().await;
    let messages = format!("/api/v1/whatsapp_conversations/{conversation}/whatsapp_messages");
    assert!(app.get(&messages).await.body.to_string().contains("are you there?"), "it is stored and can be read");
    let metrics = app.metrics().await;
    assert!(metrics.contains("cause=\"project_archived\""), "{metrics}");
    let refused = app.post(&messages, json!({"message": {"content": "Hi", "message_type": "text"}})).await;
    assert_eq!((refused.status, refused.body["code"].as_str()), (403, Some("project_archived")));

    app.model().says("Here I am.");
    archive(&app, false).await;
    app.run_until_idle().await;
    assert_eq!(app.received_texts(ANA).await.last().map(String::as_str), Some("Here I am."));
}

#[tokio::test]
async fn queued_message_of_an_archived_project_is_sent_after_the_restore() {
    let app = TestApp::start().await;
    conversation_with_agent(&app).await;
    let sent = app.received_texts(ANA).await.len();
    app.model().says("Queued.");
    app.contact_sends(ANA, "hello?").await;
    app.emulator.quiesce(Duration::from_secs(10)).await;
    let due = find_due(app.app.context()).await.unwrap().turns;
    Work::Turn(due[0]).execute(app.app.context().clone()).await.unwrap();
    assert_eq!(find_due(app.app.context()).await.unwrap().sends.len(), 1, "the answer is queued");
    archive(&app, true).await;
    app.run_until_idle().await;
    assert_eq!(app.received_texts(ANA).await.len(), sent);
    archive(&app, false).await;
    app.run_until_idle().await;
    assert_eq!(app.received_texts(ANA).await.last().map(String::as_str), Some("Queued."));
}

#[tokio::test]
async fn webhooks_and_test_runs_of_an_archived_project_wait() {
    let app = TestApp::with(false, |config| config.egress_allow = vec!["127.0.0.1/32".parse().unwrap()]).await;
    let agent = app.agent(json!({"name": "Desk"})).await;
    app.activate(ANA, &agent).await;
    let service = Service::start(|_| json!({"ok": true})).await;
    let endpoint = json!({"url": service.url(), "secret_key": "s3cr3t-value", "events": ["whatsapp.message.received"]});
    app.post("/api/v1/webhook_endpoints", json!({"webhook_endpoint": endpoint})).await.data();
    let suites = app.get(&format!("/api/v1/agents/{agent}/test_suites")).await;
    let suite = suites.data()[0]["id"].as_str().unwrap().to_owned();
    let case = json!({"test_case": {"name": "Greets", "script": "Say hello.", "rubric": "It greets."}});
    let case = app.post(&format!("/api/v1/test_suites/{suite}/test_cases"), case).await.id();
    let run = app.post(&format!("/api/v1/test_cases/{case}/test_runs"), json!({"agent_test_run": {}})).await.id();
    let is_over = async || {
        let run = app.get(&format!("/api/v1/test_runs/{run}")).await;
        matches!(run.data()["status"].as_str(), Some("completed" | "error"))
    };
    archive(&app, true).await;
    app.contact_sends(ANA, "anyone?").await;
    app.run_until_idle().await;
    assert_eq!((service.requests().len(), is_over().await), (0, false));
    archive(&app, false).await;
    app.run_until_idle().await;
    assert_eq!((service.requests().len(), is_over().await), (1, true));
}

/// A project with more due turns than one scan reads must not hide others when it is archived.
#[tokio::test]
async fn backlog_of_an_archived_project_hides_no_work_of_another() {
    let mut app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Desk"})).await;
    let (_, config) = app.connect(OWN_NUMBER_ID).await;
    let link = json!({"agent_whatsapp_config": {"whatsapp_config_id": config, "is_primary": true}});
    app.post(&format!("/api/v1/agents/{agent}/agent_whatsapp_configs"), link).await.data();
    app.run_until_idle().await;
    for n in 0..70 {
        let message = json!({"phone_number_id": OWN_NUMBER_ID, "from": format!("+551199{n:07}"), "text": "hi"});
        app.emulator_call(Method::POST, "/inbound", Some(message)).await;
    }
    app.emulator.quiesce(Duration::from_secs(10)).await;
    let scan = async || find_due(app.app.context()).await.unwrap().turns;
    assert!(scan().await.len() > 10);
    archive(&app, true).await;
    assert_eq!(scan().await, []);
    let other = app.app.operator().create_project("Other").await.unwrap();
    (app.project, app.key) = (other, app.app.operator().create_key(&other.to_string()).await.unwrap().1);
    let agent = app.agent(json!({"name": "Other desk"})).await;
    app.activate(ANA, &agent).await;
    app.model().says("Other answer.");
    app.contact_sends(ANA, "hi").await;
    app.emulator.quiesce(Duration::from_secs(10)).await;
    assert_eq!(find_due(app.app.context()).await.unwrap().turns.len(), 1);
    app.run_until_idle().await;
    let texts = app.received_texts(ANA).await;
    assert!(texts.len() == 1 && texts[0].ends_with("Other answer."), "{texts:?}");
}
