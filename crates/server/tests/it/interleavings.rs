//! Regression tests for interleavings that once lost an input or repeated an effect.

use axum::{Json, Router, extract::State, http::StatusCode, response::IntoResponse, routing::post};
use domain::Span;
use gateways::whatsapp::signature;
use reqwest::Method;
use secrecy::SecretString;
use serde_json::{Value, json};
use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::{Arc, Mutex},
};
use testkit::{ANA, TestApp};

async fn fault(app: &TestApp, fault: Value) {
    app.emulator_call(Method::POST, "/faults", Some(fault)).await;
}

fn fixture(file: &str) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/cloud-api").join(file);
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

async fn deliver(app: &TestApp, body: &Value) -> u16 {
    let body = body.to_string().into_bytes();
    let signature = signature::sign(&SecretString::from(emulator::APP_SECRET), &body);
    app.request(Method::POST, "/webhooks/whatsapp")
        .header(signature::HEADER, signature)
        .body(body)
        .send()
        .await
        .unwrap()
        .status()
        .as_u16()
}

fn text(wamid: &str, body: &str) -> Value {
    let mut delivery = fixture("in-001-text.json");
    let message = &mut delivery["entry"][0]["changes"][0]["value"]["messages"][0];
    message["id"] = json!(wamid);
    message["text"]["body"] = json!(body);
    message["timestamp"] = json!(emulator::START_SECONDS.to_string());
    delivery
}

/// The WarmEndNode's timer fires while a message is within its debounce.
#[tokio::test]
async fn debounced_message_survives_the_timer_that_ends_the_execution() {
    let app = TestApp::start().await;
    let graph = json!({
        "nodes": [{"name": "__start__", "type": "DefaultNode"},
            {"name": "closing", "type": "WarmEndNode", "warm_end": {"timeout_minutes": 5}},
            {"name": "__end__", "type": "DefaultNode"}],
        "edges": [{"from": "__start__", "to": "closing"}, {"from": "closing", "to": "__end__", "label": "goodbye"}]});
    let agent = app.agent(json!({"name": "Closing", "message_debounce_seconds": 2, "graph": graph})).await;
    app.activate(ANA, &agent).await;
    app.model().says("Anything else?");
    app.contact_sends(ANA, "thanks").await;
    app.forward(Span::from_secs(2)).await;
    assert_eq!(app.execution(&agent).await["status"], "paused");
    app.forward(Span::from_secs(299)).await;
    assert_eq!(app.execution(&agent).await["status"], "paused");
    app.model().says("Sure.");
    app.contact_sends(ANA, "yes, my order").await;
    app.forward(Span::from_millis(1_500)).await;
    app.forward(Span::from_secs(10)).await;
    assert_eq!(
        app.received_texts(ANA).await,
        ["Anything else?", "Sure."],
        "the message was acknowledged and not answered"
    );
}

/// A message arrives while the final text is being sent, before the route to the end.
#[tokio::test]
async fn message_during_the_final_send_is_answered() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Polite"})).await;
    app.activate(ANA, &agent).await;
    fault(&app, json!({"when": {"surface": "send"}, "trigger": {"next": 1}, "do": {"error": "throughput"}})).await;
    app.model().calls(&[
        ("send_notification_to_user", json!({"message": "Goodbye!"})),
        ("MoveToNextNode", json!({"next_node": "__end__", "reason": "done"})),
    ]);
    app.contact_sends(ANA, "bye").await;
    app.run_until_idle().await;
    app.model().says("Yes?");
    app.contact_sends(ANA, "wait, one more thing").await;
    app.run_until_idle().await;
    app.forward(Span::from_secs(5)).await;
    app.forward(Span::from_secs(5)).await;
    assert_eq!(app.received_texts(ANA).await, ["Goodbye!", "Yes?"]);
}

/// Model server with raw answers, for answers that hold both text and tool calls.
async fn raw_model(answers: Vec<(u16, Value)>) -> String {
    type Answers = Arc<Mutex<VecDeque<(u16, Value)>>>;
    async fn complete(State(answers): State<Answers>) -> impl IntoResponse {
        let (status, message) = answers.lock().unwrap().pop_front().unwrap_or((400, json!(null)));
        let body = json!({"model": "raw", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]});
        (StatusCode::from_u16(status).unwrap(), Json(body))
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let router =
        Router::new().route("/v1/chat/completions", post(complete)).with_state(Arc::new(Mutex::new(answers.into())));
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

/// The execution fails while a send is pending, so the outcome of the send reaches a failed
/// execution.
#[tokio::test]
async fn resumed_execution_sees_a_send_settled_while_it_was_failed() {
    let tool =
        json!([{"id": "c", "type": "function", "function": {"name": "get_execution_metadata", "arguments": "{}"}}]);
    let url = raw_model(vec![
        (200, json!({"role": "assistant", "content": "One moment.", "tool_calls": tool})),
        (401, json!(null)),
        (200, json!({"role": "assistant", "content": "Here I am."})),
        (200, json!({"role": "assistant", "content": "And again."})),
    ])
    .await;
    let app = TestApp::with(false, |config| {
        config.llm.base_url = Some(url);
        config.llm.model = Some("raw".into());
    })
    .await;
    let agent = app.agent(json!({"name": "Plain"})).await;
    app.activate(ANA, &agent).await;
    app.contact_sends(ANA, "hello").await;
    app.run_until_idle().await;
    let failed = app.execution(&agent).await;
    assert_eq!(
        (failed["status"].as_str(), failed["error"]["code"].as_str()),
        (Some("failed"), Some("llm_unavailable"))
    );
    let path = format!("/api/v1/agents/{agent}/executions/{}/resume", failed["id"].as_str().unwrap());
    assert_eq!(app.post(&path, json!({})).await.status, 200);
    app.run_until_idle().await;
    app.forward(Span::from_mins(30)).await;
    assert_eq!(app.received_texts(ANA).await, ["One moment.", "Here I am."]);
    assert_eq!(app.execution(&agent).await["status"], "paused", "the execution waits for a settled send");
    app.contact_sends(ANA, "still there?").await;
    app.run_until_idle().await;
    assert_eq!(app.received_texts(ANA).await.len(), 3);
}

/// The sandbox deduplicates by the project that owns the phone now.
#[tokio::test]
async fn redelivered_sandbox_message_does_not_reach_a_later_session() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Plain"})).await;
    let early = text("wamid.EARLY", "is this a shop?");
    assert_eq!(deliver(&app, &early).await, 200);
    app.run_until_idle().await;
    app.activate(ANA, &agent).await;
    assert_eq!(deliver(&app, &early).await, 200);
    let conversations = app.get("/api/v1/whatsapp_conversations").await;
    let id = conversations.data()[0]["id"].as_str().unwrap().to_owned();
    let list = app.get(&format!("/api/v1/whatsapp_conversations/{id}/whatsapp_messages")).await;
    assert!(!list.body.to_string().contains("is this a shop?"), "a duplicate was stored again");
}

#[tokio::test]
async fn redelivered_message_stays_in_its_first_project() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Mine"})).await;
    app.activate(ANA, &agent).await;
    app.model().says("Noted.");
    let secret = text("wamid.SECRET", "my account number is 4711");
    assert_eq!(deliver(&app, &secret).await, 200);
    app.run_until_idle().await;

    let other = app.app.operator().create_project("Other").await.unwrap();
    let (_, key) = app.app.operator().create_key(&other.to_string()).await.unwrap();
    let theirs =
        app.call_as(Some(&key), Method::POST, "/api/v1/agents", Some(json!({"agent": {"name": "Theirs"}}))).await.id();
    let body = json!({"whatsapp_sandbox_session": {"phone_number": ANA, "agent_id": theirs}});
    let session = app.call_as(Some(&key), Method::POST, "/api/v1/sandbox_sessions", Some(body)).await;
    app.contact_sends(ANA, session.data()["activation_code"].as_str().unwrap()).await;
    app.run_until_idle().await;

    assert_eq!(deliver(&app, &secret).await, 200);
    let conversations = app.call_as(Some(&key), Method::GET, "/api/v1/whatsapp_conversations", None).await;
    let id = conversations.data()[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/whatsapp_conversations/{id}/whatsapp_messages");
    let list = app.call_as(Some(&key), Method::GET, &path, None).await;
    assert!(!list.body.to_string().contains("4711"), "project B reads a message of project A");
}

/// The status that proves attempt 1 arrives while the entry is queued for attempt 3.
#[tokio::test]
async fn status_of_an_earlier_attempt_settles_a_queued_outbox_entry() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Plain"})).await;
    app.activate(ANA, &agent).await;
    app.forward(Span::from_secs(60)).await;
    fault(&app, json!({"when": {"surface": "send"}, "trigger": {"next": 1}, "do": "accept_then_drop"})).await;
    for event in ["status:sent", "status:delivered"] {
        fault(&app, json!({"when": {"surface": "webhook", "event": event}, "trigger": {"next": 1}, "do": {"delay": {"ms": 32_000}}})).await;
    }
    app.model().says("only once");
    app.contact_sends(ANA, "hi").await;
    app.run_until_idle().await;
    fault(&app, json!({"when": {"surface": "send"}, "trigger": {"next": 3}, "do": {"error": "throughput"}})).await;
    // 30 s without a status, then attempt 2 is throttled; attempts 3 and 4 are throttled with
    // growing delays.
    for _ in 0..40 {
        app.forward(Span::from_secs(1)).await;
    }
    app.forward(Span::from_secs(60)).await;
    let sends = app.emulator_call(Method::GET, "/requests", None).await;
    let sends =
        sends["requests"].as_array().unwrap().iter().filter(|r| r["body"]["text"]["body"] == "only once").count();
    assert!(sends >= 2, "{sends} requests: the faults did their part");
    assert_eq!(app.received_texts(ANA).await, ["only once"], "the status arrived before the last attempt");
}

#[tokio::test]
async fn new_messages_do_not_postpone_a_model_retry() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Patient", "message_debounce_seconds": 60})).await;
    app.activate(ANA, &agent).await;
    app.model().fails(503);
    app.model().says("to all three");
    app.contact_sends(ANA, "one").await;
    app.forward(Span::from_secs(60)).await;
    assert_eq!(app.model().requests().len(), 1);
    app.contact_sends(ANA, "two").await;
    app.contact_sends(ANA, "three").await;
    app.forward(Span::from_secs(2)).await;
    let asked = app.model().requests().len();
    app.forward(Span::from_mins(6)).await;
    assert!(asked > 1, "the retry was due after half a second");
    let texts = app.model().last_texts("user");
    assert!(texts.iter().any(|text| text == "two\nthree"), "messages sent meanwhile reach the model: {texts:?}");
    assert_eq!(app.received_texts(ANA).await, ["to all three"]);
}

#[tokio::test]
async fn group_message_gets_no_private_answer() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Plain"})).await;
    app.activate(ANA, &agent).await;
    let mut body = text("wamid.GROUP", "who brings the cake?");
    body["entry"][0]["changes"][0]["value"]["messages"][0]["group_id"] = json!("120363000000000000");
    assert_eq!(deliver(&app, &body).await, 200);
    // No answer is scripted, so any model request would fail the test.
    app.run_until_idle().await;
    assert_eq!(app.model().requests().len(), 0);
}

#[tokio::test]
async fn message_with_unreadable_sender_is_logged() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Plain"})).await;
    app.activate(ANA, &agent).await;
    let kept = async || {
        let mut reader = app.app.context().store.read().await.unwrap();
        store::webhook_events::count(&mut reader.conn()).await.unwrap()
    };
    let before = kept().await;
    let mut body = text("wamid.SHORT", "from a short code");
    let message = &mut body["entry"][0]["changes"][0]["value"]["messages"][0];
    message["from"] = json!("12345");
    message.as_object_mut().unwrap().remove("from_user_id");
    body["entry"][0]["changes"][0]["value"]["contacts"] = json!([]);
    assert_eq!(deliver(&app, &body).await, 200);
    app.run_until_idle().await;
    assert_eq!(kept().await, before + 1, "acknowledged but not stored");
}

/// After a new activation the new agent gets the phone's messages, even while the old execution is
/// paused.
#[tokio::test]
async fn new_sandbox_session_gets_answers_while_the_old_execution_is_paused() {
    let app = TestApp::start().await;
    let first = app.agent(json!({"name": "First", "system_prompt": "I am the first."})).await;
    let second = app.agent(json!({"name": "Second", "system_prompt": "I am the second."})).await;
    app.activate(ANA, &first).await;
    app.model().says("hello from the first");
    app.contact_sends(ANA, "hi").await;
    app.run_until_idle().await;
    app.activate(ANA, &second).await;
    app.model().says("hello");
    app.contact_sends(ANA, "who are you?").await;
    app.run_until_idle().await;
    assert!(app.model().last_texts("system")[0].contains("I am the second."));
}
