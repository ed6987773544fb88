//! Private text of models reaches no person and is kept in the trace (docs/spec/engine.md 5.4).

use domain::Span;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{ANA, TestApp};

const FORMS: &str = include_str!("../../../../fixtures/answers/private_text.json");
const CANARY: &str = "CANARY";

#[tokio::test]
async fn private_text_of_sixty_forms_reaches_no_person_and_is_in_the_trace() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Desk"})).await;
    app.activate(ANA, &agent).await;
    let forms: Vec<Value> = serde_json::from_str(FORMS).unwrap();
    assert!(forms.len() >= 60, "{}", forms.len());
    let mut expected = Vec::new();
    let mut chat = Value::Null;
    for form in &forms {
        for test_chat in [false, true] {
            app.model().answers(form["message"].clone(), false);
            if form["said"].is_null() {
                app.model().says("Once more: at nine.");
            }
            if test_chat {
                let body = json!({"message": {"type": "user_input", "content": {"text": "when do you open?"}},
                    "agent_test_chat_id": chat});
                let body = if chat.is_null() { json!({"message": "when do you open?"}) } else { body };
                let answer = app.post(&format!("/api/v1/agents/{agent}/test_chats"), body).await;
                assert!(answer.status < 300, "{}", answer.body);
                chat = json!(answer.id());
            } else {
                app.contact_sends(ANA, "when do you open?").await;
            }
            // Not until all is idle: the sandbox session would end.
            app.forward(Span::from_secs(10)).await;
        }
        expected.push(form["said"].as_str().unwrap_or("Once more: at nine.").to_owned());
    }

    assert_eq!(app.received_texts(ANA).await, expected);
    let sent = app.emulator_call(Method::GET, "/requests", None).await.to_string();
    assert!(!sent.contains(CANARY), "the outbox");
    assert!(!json!(app.messages().await).to_string().contains(CANARY), "the messages API");
    let shown = app.get(&format!("/api/v1/test_chats/{}", chat.as_str().unwrap())).await;
    let said: Vec<&str> = shown.data()["conversation"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|line| line["role"] == "assistant")
        .filter_map(|line| line["content"].as_str())
        .collect();
    assert_eq!(said, expected, "the test chat");

    let execution = app.execution(&agent).await["id"].as_str().unwrap().to_owned();
    let mut traced = 0;
    for page in 1.. {
        let path = format!("/api/v1/agents/{agent}/executions/{execution}/events?per_page=100&page={page}");
        let events = app.get(&path).await.data().as_array().unwrap().clone();
        if events.is_empty() {
            break;
        }
        for event in events {
            match event["name"].as_str() {
                Some("llm.responded") => {
                    traced += usize::from(event["data"]["reasoning"].to_string().contains(CANARY));
                    assert!(!event["data"]["text"].to_string().contains(CANARY));
                }
                _ => assert!(!event.to_string().contains(CANARY), "{event}"),
            }
        }
    }
    assert_eq!(traced, forms.len(), "all of it is in the trace");
}
