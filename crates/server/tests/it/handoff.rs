//! Handoff to a person, resume, and the ends of waiting executions.

use domain::Span;
use serde_json::{Value, json};
use testkit::{ANA, TestApp};

fn graph() -> Value {
    json!({
        "nodes": [
            {"name": "__start__", "type": "DefaultNode"},
            {"name": "talk", "type": "DefaultNode", "prompt": "Help."},
            {"name": "person", "type": "HandoffNode", "handoff": {}},
            {"name": "closing", "type": "WarmEndNode", "warm_end": {"timeout_minutes": 5}},
            {"name": "__end__", "type": "DefaultNode"}],
        "edges": [{"from": "__start__", "to": "talk"}, {"from": "talk", "to": "person", "label": "a person is wanted"},
            {"from": "talk", "to": "closing", "label": "nothing more"}, {"from": "closing", "to": "__end__", "label": "goodbye"}]})
}

fn moves(to: &str) -> [(&'static str, Value); 1] {
    [("MoveToNextNode", json!({"next_node": to, "reason": "angry"}))]
}

#[tokio::test]
async fn agent_is_silent_during_handoff_until_resumed() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Desk", "graph": graph()})).await;
    app.activate(ANA, &agent).await;
    app.model().calls(&moves("person"));
    app.contact_sends(ANA, "a human, now").await;
    app.run_until_idle().await;
    let execution = app.execution(&agent).await;
    assert_eq!((execution["status"].as_str(), execution["handoff_reason"].as_str()), (Some("handoff"), Some("angry")));

    app.contact_sends(ANA, "hello?").await;
    app.forward(Span::from_secs(60)).await;
    assert_eq!(app.model().requests().len(), 1, "no model is asked");
    assert!(app.received_texts(ANA).await.is_empty());

    let conversation = app.get("/api/v1/whatsapp_conversations").await.data()[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/whatsapp_conversations/{conversation}/whatsapp_messages");
    let sent = app.post(&path, json!({"message": {"content": "Maria here, refunded."}})).await;
    assert_eq!((sent.status, sent.data()["status"].as_str()), (201, Some("pending")));
    app.run_until_idle().await;
    assert_eq!(app.received_texts(ANA).await, ["Maria here, refunded."]);

    app.model().says("I am back.");
    let path = format!("/api/v1/agents/{agent}/executions/{}/resume", execution["id"].as_str().unwrap());
    let body = json!({"message": {"type": "payload", "content": {"refund": "done"}}});
    assert_eq!(app.post(&path, body).await.status, 200);
    app.run_until_idle().await;
    assert_eq!(app.execution(&agent).await["status"], "paused");
    let texts = app.model().last_texts("user");
    assert!(
        texts.contains(&"hello?".to_owned()) && texts.iter().any(|text| text.contains("\"refund\":\"done\"")),
        "{texts:?}"
    );
    assert!(
        app.model().last_texts("assistant").contains(&"Maria here, refunded.".to_owned()),
        "the history has the colleague's reply"
    );
}

#[tokio::test]
async fn api_message_is_refused_while_an_execution_is_active() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Desk"})).await;
    app.activate(ANA, &agent).await;
    app.model().says("yes?");
    app.contact_sends(ANA, "hi").await;
    app.run_until_idle().await;
    let conversation = app.get("/api/v1/whatsapp_conversations").await.data()[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/whatsapp_conversations/{conversation}/whatsapp_messages");
    let refused = app.post(&path, json!({"message": {"content": "me too"}})).await;
    assert_eq!((refused.status, refused.body["code"].as_str()), (409, Some("agent_active")));
    assert_eq!(app.received_texts(ANA).await, ["yes?"]);
}

#[tokio::test]
async fn warm_end_waits_and_a_reply_restarts_the_wait() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Desk", "graph": graph()})).await;
    app.activate(ANA, &agent).await;
    app.model().calls(&moves("closing"));
    app.model().says("Anything else?");
    app.contact_sends(ANA, "thanks").await;
    app.run_until_idle().await;
    app.forward(Span::from_mins(4)).await;
    app.model().says("You are welcome.");
    app.contact_sends(ANA, "no, that's it").await;
    app.run_until_idle().await;
    app.forward(Span::from_mins(4)).await;
    assert_eq!(app.execution(&agent).await["status"], "paused");
    app.forward(Span::from_mins(2)).await;
    let ended = app.execution(&agent).await;
    assert_eq!((ended["status"].as_str(), ended["end_reason"].as_str()), (Some("ended"), Some("warm_end_timeout")));
    assert_eq!(app.received_texts(ANA).await, ["Anything else?", "You are welcome."]);
}

#[tokio::test]
async fn execution_ends_after_a_day_of_silence() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Desk"})).await;
    app.activate(ANA, &agent).await;
    app.model().says("hello");
    app.contact_sends(ANA, "hi").await;
    app.run_until_idle().await;
    app.forward(Span::from_hours(25)).await;
    let ended = app.execution(&agent).await;
    assert_eq!((ended["status"].as_str(), ended["end_reason"].as_str()), (Some("ended"), Some("inactivity_timeout")));
}

#[tokio::test]
async fn only_a_waiting_execution_can_be_resumed() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Desk", "graph": graph()})).await;
    app.activate(ANA, &agent).await;
    app.model().calls(&moves("closing"));
    app.model().calls(&moves("__end__"));
    app.contact_sends(ANA, "thanks, bye").await;
    app.run_until_idle().await;
    let ended = app.execution(&agent).await;
    assert_eq!((ended["status"].as_str(), ended["end_reason"].as_str()), (Some("ended"), Some("reached_end")));
    let path = format!("/api/v1/agents/{agent}/executions/{}/resume", ended["id"].as_str().unwrap());
    let refused = app.post(&path, json!({})).await;
    let said = (refused.body["error"].as_str(), refused.body["message"].as_str());
    assert_eq!((refused.status, refused.body["code"].as_str()), (422, Some("invalid_transition")));
    assert_eq!(said, (Some("Execution cannot be resumed"), Some("Status is ended")));
}
