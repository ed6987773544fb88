//! The sentence that an assistant writes, before an agent's first message to a contact (docs/spec/engine.md 3.5).

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{ANA, OWN_NUMBER_ID, TestApp};

/// Of the country of the phone.
const SENTENCE: &str = "Você está conversando com um assistente automático.";

async fn set(app: &TestApp, settings: Value) -> Value {
    let project = app.project;
    let answer =
        app.patch(&format!("/api/v1/projects/{project}"), json!({"project": {"agent_messages": settings}})).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.data()["agent_messages"].clone()
}

/// A contact that asks and is answered.
async fn talk(app: &TestApp, phone: &str, answer: &str) {
    app.model().says(answer);
    app.contact_sends(phone, "hello?").await;
    app.run_until_idle().await;
}

#[tokio::test]
async fn disclosure_is_part_of_the_first_message_to_each_contact_only() {
    let app = TestApp::start().await;
    let shown = set(&app, json!({"disclosure": {"enabled": true, "texts": {"en": "I am a robot."}}})).await;
    assert_eq!(
        shown,
        json!({"disclosure": {"enabled": true, "texts": {"en": "I am a robot."}}, "keep_markdown": false})
    );
    set(&app, json!({"disclosure": {"texts": {}}})).await;
    let agent = app.agent(json!({"name": "Desk"})).await;
    app.activate(ANA, &agent).await;
    talk(&app, ANA, "Yes?").await;
    let app = app.crash_and_restart().await;
    talk(&app, ANA, "And?").await;
    let first = format!("{SENTENCE}\n\nYes?");
    assert_eq!(app.received_texts(ANA).await, [first.as_str(), "And?"]);
    let stored: Vec<Value> = app.messages().await;
    let with_sentence = stored.iter().filter(|message| message.to_string().contains(SENTENCE)).count();
    assert_eq!(with_sentence, 1, "it is part of the stored message");
    // The same person on another number of the project.
    let (_, config) = app.own_number().await;
    app.run_until_idle().await;
    let body = json!({"agent_whatsapp_config": {"whatsapp_config_id": config}});
    assert_eq!(app.post(&format!("/api/v1/agents/{agent}/agent_whatsapp_configs"), body).await.status, 201);
    app.model().says("On the other number.");
    let message = json!({"from": ANA, "phone_number_id": OWN_NUMBER_ID, "text": "and here?"});
    app.emulator_call(Method::POST, "/inbound", Some(message)).await;
    app.run_until_idle().await;
    let other = json!(app.chat_with(OWN_NUMBER_ID, ANA).await).to_string();
    assert!(other.contains("On the other number.") && !other.contains(SENTENCE), "{other}");
}

#[tokio::test]
async fn disclosure_is_sent_again_after_a_person_gave_the_conversation_back() {
    let app = TestApp::start().await;
    set(&app, json!({"disclosure": {"enabled": true}})).await;
    let nodes = json!([{"name": "__start__"}, {"name": "a", "prompt": "Help."}, {"name": "h", "type": "HandoffNode"}, {"name": "__end__"}]);
    let edges = json!([{"from": "__start__", "to": "a"}, {"from": "a", "to": "h"}, {"from": "a", "to": "__end__"}]);
    let agent = app.agent(json!({"name": "Desk", "graph": {"nodes": nodes, "edges": edges}})).await;
    app.activate(ANA, &agent).await;
    talk(&app, ANA, "Yes?").await;
    app.model().calls(&[("MoveToNextNode", json!({"next_node": "h", "reason": "wants a person"}))]);
    app.contact_sends(ANA, "a person please").await;
    app.run_until_idle().await;
    let execution = app.execution(&agent).await;
    assert_eq!(execution["status"], "handoff");
    app.model().says("I am back.");
    let id = execution["id"].as_str().unwrap();
    let answer = app.post(&format!("/api/v1/agents/{agent}/executions/{id}/resume"), json!({})).await;
    assert!(answer.status < 300, "{}", answer.body);
    app.run_until_idle().await;
    talk(&app, ANA, "Anything else?").await;
    let expected = [format!("{SENTENCE}\n\nYes?"), format!("{SENTENCE}\n\nI am back."), "Anything else?".to_owned()];
    assert_eq!(app.received_texts(ANA).await, expected);
}

#[tokio::test]
async fn test_chats_and_projects_without_the_setting_have_no_disclosure() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Desk"})).await;
    app.activate(ANA, &agent).await;
    talk(&app, ANA, "Yes?").await;
    assert_eq!(app.received_texts(ANA).await, ["Yes?"], "off for projects from before");
    set(&app, json!({"disclosure": {"enabled": true}})).await;
    app.model().says("In the test.");
    let answer = app.post(&format!("/api/v1/agents/{agent}/test_chats"), json!({"message": "hello"})).await;
    app.run_until_idle().await;
    let chat = app.get(&format!("/api/v1/test_chats/{}", answer.id())).await;
    assert_eq!(chat.data()["conversation"][1]["content"], "In the test.");
    let other = app.app.operator().create_project("Other").await.unwrap();
    let (_, key) = app.app.operator().create_key(&other.to_string()).await.unwrap();
    let shown = app.call_as(Some(&key), Method::GET, "/api/v1/projects", None).await;
    assert_eq!(shown.data()[0]["agent_messages"]["disclosure"]["enabled"], true, "on for new projects");
}

#[tokio::test]
async fn bad_texts_are_refused() {
    let app = TestApp::start().await;
    let project = app.project;
    for texts in [json!({"e": "x"}), json!({"en": " "}), json!({"en": "x".repeat(301)})] {
        let body = json!({"project": {"agent_messages": {"disclosure": {"texts": texts}}}});
        let answer = app.patch(&format!("/api/v1/projects/{project}"), body).await;
        assert_eq!(answer.status, 422, "{texts}");
    }
}
