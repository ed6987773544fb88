//! Inputs that must not be lost, and effects that must not happen twice: interleavings that once went wrong.

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

/// A message within its debounce when the WarmEndNode's timer fires.
#[tokio::test]
async fn a_message_that_waits_for_its_debounce_survives_the_timer_that_ends_the_execution() {
    let app = TestApp::start().await;
    let graph = json!({
        "nodes": [{"name": "__start__", "type": "DefaultNode"},
            {"name": "closing", "type": "WarmEndNode", "warm_end": {"timeout_minutes": 5}},
            {"name": "__end__", "type": "DefaultNode"}],
        "edges": [{"from": "__start__", "to": "closing"}, {"from": "closing", "to": "__end__", "label": "goodbye"}]});
    let agent = app.agent(json!({"name": "Closing", "message_debounce_seconds": 2, "graph": graph})).await;
    app.activate(ANA, &agent).await;
    app.model().says("Anything else?");
    app.says(ANA, "thanks").await;
    app.forward(Span::from_secs(2)).await;
    assert_eq!(app.execution(&agent).await["status"], "paused");
    app.forward(Span::from_secs(299)).await;
    assert_eq!(app.execution(&agent).await["status"], "paused");
    app.model().says("Sure.");
    app.says(ANA, "yes, my order").await;
    app.forward(Span::from_millis(1_500)).await;
    app.forward(Span::from_secs(10)).await;
    assert_eq!(
        app.heard(ANA).await,
        ["Anything else?", "Sure."],
        "the message was acknowledged and is answered by nobody"
    );
}

/// A message that lands while the goodbye is being sent, just before the route to the end.
#[tokio::test]
async fn a_message_that_lands_while_the_goodbye_is_sent_is_answered() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Polite"})).await;
    app.activate(ANA, &agent).await;
    fault(&app, json!({"when": {"surface": "send"}, "trigger": {"next": 1}, "do": {"error": "throughput"}})).await;
    app.model().calls(&[
        ("send_notification_to_user", json!({"message": "Goodbye!"})),
        ("MoveToNextNode", json!({"next_node": "__end__", "reason": "done"})),
    ]);
    app.says(ANA, "bye").await;
    app.run_until_idle().await;
    app.model().says("Yes?");
    app.says(ANA, "wait, one more thing").await;
    app.run_until_idle().await;
    app.forward(Span::from_secs(5)).await;
    app.forward(Span::from_secs(5)).await;
    assert_eq!(app.heard(ANA).await, ["Goodbye!", "Yes?"]);
}

/// A model server with raw answers, for texts beside calls.
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

/// An execution fails while a text is on its way; the outcome is told to an execution that is over and dropped.
#[tokio::test]
async fn a_resumed_execution_does_not_wait_for_ever_for_a_send_that_was_settled_while_it_was_failed() {
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
    app.says(ANA, "hello").await;
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
    assert_eq!(app.heard(ANA).await, ["One moment.", "Here I am."]);
    assert_eq!(app.execution(&agent).await["status"], "paused", "it waits for a send that is long settled");
    app.says(ANA, "still there?").await;
    app.run_until_idle().await;
    assert_eq!(app.heard(ANA).await.len(), 3);
}

/// Dedupe in the sandbox is by the project that the message means *now*.
#[tokio::test]
async fn a_redelivered_sandbox_message_is_not_heard_by_a_session_that_was_activated_later() {
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
async fn a_redelivered_message_to_one_project_s_agent_is_not_shown_to_the_next_project() {
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
    app.says(ANA, session.data()["activation_code"].as_str().unwrap()).await;
    app.run_until_idle().await;

    assert_eq!(deliver(&app, &secret).await, 200);
    let conversations = app.call_as(Some(&key), Method::GET, "/api/v1/whatsapp_conversations", None).await;
    let id = conversations.data()[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/whatsapp_conversations/{id}/whatsapp_messages");
    let list = app.call_as(Some(&key), Method::GET, &path, None).await;
    assert!(!list.body.to_string().contains("4711"), "project B reads what was said to project A");
}

/// The proof that attempt 1 landed comes while the row is queued for attempt 3.
#[tokio::test]
async fn a_status_that_proves_an_attempt_keeps_a_queued_row_from_being_sent_again() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Plain"})).await;
    app.activate(ANA, &agent).await;
    app.forward(Span::from_secs(60)).await;
    fault(&app, json!({"when": {"surface": "send"}, "trigger": {"next": 1}, "do": "accept_then_drop"})).await;
    for event in ["status:sent", "status:delivered"] {
        fault(&app, json!({"when": {"surface": "webhook", "event": event}, "trigger": {"next": 1}, "do": {"delay": {"ms": 32_000}}})).await;
    }
    app.model().says("only once");
    app.says(ANA, "hi").await;
    app.run_until_idle().await;
    fault(&app, json!({"when": {"surface": "send"}, "trigger": {"next": 3}, "do": {"error": "throughput"}})).await;
    // 30 s: nobody told, attempt 2, throttled; then attempts 3 and 4, throttled, with growing pauses.
    for _ in 0..40 {
        app.forward(Span::from_secs(1)).await;
    }
    app.forward(Span::from_secs(60)).await;
    let sends = app.emulator_call(Method::GET, "/requests", None).await;
    let sends =
        sends["requests"].as_array().unwrap().iter().filter(|r| r["body"]["text"]["body"] == "only once").count();
    assert!(sends >= 2, "{sends} requests: the faults did their part");
    assert_eq!(app.heard(ANA).await, ["only once"], "the proof was there before the last attempt");
}

/// A message of a running turn must not move the retry of a model call.
#[tokio::test]
async fn two_messages_do_not_postpone_the_retry_of_a_model_call() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Patient", "message_debounce_seconds": 60})).await;
    app.activate(ANA, &agent).await;
    app.model().fails(503);
    app.model().says("to all three");
    app.says(ANA, "one").await;
    app.forward(Span::from_secs(60)).await;
    assert_eq!(app.model().requests().len(), 1);
    app.says(ANA, "two").await;
    app.says(ANA, "three").await;
    app.forward(Span::from_secs(2)).await;
    let asked = app.model().requests().len();
    app.forward(Span::from_mins(6)).await;
    assert!(asked > 1, "the retry was due after half a second");
    let said = app.model().last_texts("user");
    assert!(said.iter().any(|text| text == "two\nthree"), "what was said meanwhile is not asked for in vain: {said:?}");
    assert_eq!(app.heard(ANA).await, ["to all three"]);
}

#[tokio::test]
async fn a_message_in_a_group_is_not_answered_in_private() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Plain"})).await;
    app.activate(ANA, &agent).await;
    let mut body = text("wamid.GROUP", "who brings the cake?");
    body["entry"][0]["changes"][0]["value"]["messages"][0]["group_id"] = json!("120363000000000000");
    assert_eq!(deliver(&app, &body).await, 200);
    // Nothing is scripted: a request would be answered with 400 and complained about.
    app.run_until_idle().await;
    assert_eq!(app.model().requests().len(), 0);
}

#[tokio::test]
async fn a_message_from_a_sender_that_cannot_be_read_leaves_a_trace() {
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
    assert_eq!(kept().await, before + 1, "acknowledged, and nowhere to be found");
}

/// A restarted activation: a new agent for the same phone must get the next message, also while the old run is paused.
#[tokio::test]
async fn a_new_session_s_agent_answers_although_the_old_agent_s_run_is_paused() {
    let app = TestApp::start().await;
    let first = app.agent(json!({"name": "First", "system_prompt": "I am the first."})).await;
    let second = app.agent(json!({"name": "Second", "system_prompt": "I am the second."})).await;
    app.activate(ANA, &first).await;
    app.model().says("hello from the first");
    app.says(ANA, "hi").await;
    app.run_until_idle().await;
    app.activate(ANA, &second).await;
    app.model().says("hello");
    app.says(ANA, "who are you?").await;
    app.run_until_idle().await;
    assert!(app.model().last_texts("system")[0].contains("I am the second."));
}
