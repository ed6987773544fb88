//! Sends that are accepted, refused or unconfirmed.

use domain::Span;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{ANA, TestApp};

async fn fault(app: &TestApp, fault: Value) {
    app.emulator_call(Method::POST, "/faults", Some(fault)).await;
}

async fn talking() -> (TestApp, String) {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Plain"})).await;
    app.activate(ANA, &agent).await;
    (app, agent)
}

#[tokio::test]
async fn lost_send_response_is_settled_by_its_status_without_a_duplicate() {
    let (app, agent) = talking().await;
    fault(&app, json!({"when": {"surface": "send"}, "trigger": {"next": 1}, "do": "accept_then_drop"})).await;
    app.model().says("only once");
    app.contact_sends(ANA, "hi").await;
    app.run_until_idle().await;
    assert_eq!(app.execution(&agent).await["status"], "running", "the outcome is not known yet");
    app.forward(Span::from_secs(1)).await;
    testkit::until(|| async { app.execution(&agent).await["status"] == "paused" }).await;
    app.forward(Span::from_mins(5)).await;
    assert_eq!(app.received_texts(ANA).await, ["only once"]);
    assert_eq!(app.messages().await.pop().unwrap()["status"], "delivered");
}

#[tokio::test]
async fn send_without_any_status_is_repeated_after_the_reconcile_window() {
    let (app, agent) = talking().await;
    fault(&app, json!({"when": {"surface": "send"}, "trigger": {"next": 1}, "do": {"error": "server_500"}})).await;
    app.model().says("at last");
    app.contact_sends(ANA, "hi").await;
    app.run_until_idle().await;
    assert!(app.received_texts(ANA).await.is_empty());
    app.forward(Span::from_secs(20)).await;
    assert!(app.received_texts(ANA).await.is_empty(), "a status may still arrive");
    app.forward(Span::from_secs(15)).await;
    assert_eq!(app.received_texts(ANA).await, ["at last"]);
    assert_eq!(app.execution(&agent).await["status"], "paused");
}

#[tokio::test]
async fn throttled_send_waits_for_retry_after() {
    let (app, _) = talking().await;
    fault(&app, json!({"when": {"surface": "send"}, "trigger": {"next": 2}, "do": {"error": "throughput"}})).await;
    app.model().says("patience");
    app.contact_sends(ANA, "hi").await;
    app.run_until_idle().await;
    assert!(app.received_texts(ANA).await.is_empty());
    app.forward(Span::from_secs(5)).await;
    app.forward(Span::from_secs(5)).await;
    assert_eq!(app.received_texts(ANA).await, ["patience"]);
}

#[tokio::test]
async fn revoked_token_fails_the_execution_at_once() {
    let (app, agent) = talking().await;
    fault(&app, json!({"when": {"surface": "send"}, "do": {"error": "token_expired"}})).await;
    app.model().says("never sent");
    app.contact_sends(ANA, "hi").await;
    app.run_until_idle().await;
    let failed = app.execution(&agent).await;
    assert_eq!((failed["status"].as_str(), failed["error"]["code"].as_str()), (Some("failed"), Some("channel_auth")));
    let last = app.messages().await.pop().unwrap();
    assert_eq!(last["status"], "failed");
}

#[tokio::test]
async fn refused_send_is_reported_to_the_model() {
    let (app, agent) = talking().await;
    fault(&app, json!({"when": {"surface": "send"}, "trigger": {"next": 1}, "do": {"error": {"code": 131009}}})).await;
    app.model().says("first try");
    app.model().says("second try");
    app.contact_sends(ANA, "hi").await;
    app.run_until_idle().await;
    assert_eq!(app.received_texts(ANA).await, ["second try"]);
    assert!(app.model().last_texts("tool").iter().any(|text| text.contains("send_failed")));
    assert_eq!(app.execution(&agent).await["status"], "paused");
}

#[tokio::test]
async fn messages_of_a_conversation_leave_in_order_when_the_first_is_delayed() {
    let (app, _) = talking().await;
    fault(&app, json!({"when": {"surface": "send"}, "trigger": {"next": 1}, "do": {"error": "throughput"}})).await;
    let say = |text: &str| ("send_notification_to_user", json!({"message": text}));
    app.model().calls(&[say("1"), say("2"), say("3")]);
    app.model().calls(&[("WaitForUser", json!({}))]);
    app.contact_sends(ANA, "count").await;
    app.run_until_idle().await;
    app.forward(Span::from_secs(5)).await;
    assert_eq!(app.received_texts(ANA).await, ["1", "2", "3"]);
}

#[tokio::test]
async fn free_text_outside_the_service_window_is_refused() {
    let (app, _) = talking().await;
    let conversation = app.get("/api/v1/whatsapp_conversations").await.data()[0]["id"].as_str().unwrap().to_owned();
    app.forward(Span::from_hours(24)).await;
    let path = format!("/api/v1/whatsapp_conversations/{conversation}/whatsapp_messages");
    let refused = app.post(&path, json!({"message": {"content": "anyone?"}})).await;
    assert_eq!((refused.status, refused.body["code"].as_str()), (422, Some("outside_service_window")));
    assert!(refused.body["errors"].is_object());
}

#[tokio::test]
async fn late_and_repeated_statuses_never_move_a_message_back() {
    let (app, _) = talking().await;
    fault(&app, json!({"when": {"surface": "webhook", "event": "status:sent"}, "do": {"delay": {"ms": 60000}}})).await;
    fault(&app, json!({"when": {"surface": "webhook", "event": "status:delivered"}, "do": {"duplicate": {"n": 3, "gap_ms": 0}}})).await;
    app.model().says("hello");
    app.contact_sends(ANA, "hi").await;
    app.run_until_idle().await;
    app.forward(Span::from_secs(2)).await;
    assert_eq!(app.messages().await.pop().unwrap()["status"], "delivered");
    app.forward(Span::from_secs(120)).await;
    assert_eq!(app.messages().await.pop().unwrap()["status"], "delivered");
}
