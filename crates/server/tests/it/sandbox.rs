//! Sandbox sessions: activation by code, expiry and ownership of a phone.

use domain::Span;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{ANA, TestApp};

const BOB: &str = "+15557770002";

async fn open(app: &TestApp, phone: &str, agent: &str) -> Value {
    let body = json!({"whatsapp_sandbox_session": {"phone_number": phone, "agent_id": agent}});
    app.post("/api/v1/sandbox_sessions", body).await.data().clone()
}

async fn status(app: &TestApp, session: &Value) -> String {
    let path = format!("/api/v1/sandbox_sessions/{}", session["id"].as_str().unwrap());
    app.get(&path).await.data()["status"].as_str().unwrap().to_owned()
}

async fn last_heard(app: &TestApp, phone: &str) -> String {
    let chat = app.chat(phone).await;
    let last = chat.iter().rfind(|message| message["direction"] == "out").unwrap_or_else(|| panic!("{chat:?}"));
    last["content"]["body"].as_str().or(last["content"].as_str()).unwrap().to_owned()
}

#[tokio::test]
async fn session_becomes_active_when_its_phone_sends_the_code() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Front desk"})).await;
    let session = open(&app, ANA, &agent).await;
    assert_eq!(session["status"], "pending_activation");
    let code = session["activation_code"].as_str().unwrap();
    assert!(session["activation_link"].as_str().unwrap().ends_with(&format!("?text={code}")));
    assert_eq!(session["agent"]["name"], "Front desk");
    app.contact_sends(ANA, &format!(" {}\n", code.to_lowercase())).await;
    app.run_until_idle().await;
    assert_eq!(status(&app, &session).await, "active");
    assert_eq!(last_heard(&app, ANA).await, "Tudo conectado: já pode escrever para o agente.");
    assert_eq!(app.model().requests().len(), 0, "the code is not a message for the agent");
}

#[tokio::test]
async fn code_from_another_phone_is_refused_with_a_reason() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Front desk"})).await;
    let session = open(&app, ANA, &agent).await;
    app.contact_sends(BOB, session["activation_code"].as_str().unwrap()).await;
    app.run_until_idle().await;
    assert_eq!(status(&app, &session).await, "pending_activation");
    assert!(last_heard(&app, BOB).await.contains("another phone number"));
}

#[tokio::test]
async fn wrong_and_expired_codes_are_answered_in_the_contacts_language() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Front desk"})).await;
    app.contact_sends(ANA, "ZZZZZZ").await;
    app.run_until_idle().await;
    assert!(last_heard(&app, ANA).await.contains("não existe"));
    let session = open(&app, ANA, &agent).await;
    app.forward(Span::from_hours(25)).await;
    assert_eq!(status(&app, &session).await, "expired");
    app.contact_sends(ANA, session["activation_code"].as_str().unwrap()).await;
    app.run_until_idle().await;
    assert!(last_heard(&app, ANA).await.contains("expirou"));
}

#[tokio::test]
async fn unknown_sender_gets_an_explanation_once_an_hour() {
    let app = TestApp::start().await;
    for _ in 0..5 {
        app.contact_sends(BOB, "hello, who is this?").await;
        app.run_until_idle().await;
    }
    let answers = |chat: Vec<Value>| chat.iter().filter(|message| message["direction"] == "out").count();
    assert_eq!(answers(app.chat(BOB).await), 1);
    app.forward(Span::from_hours(1)).await;
    app.contact_sends(BOB, "hello?").await;
    app.run_until_idle().await;
    assert_eq!(answers(app.chat(BOB).await), 2);
    assert_eq!(
        app.get("/api/v1/whatsapp_conversations").await.data(),
        &json!([]),
        "unknown senders belong to no project"
    );
}

#[tokio::test]
async fn new_session_of_a_phone_replaces_the_older_one() {
    let app = TestApp::start().await;
    let first_agent = app.agent(json!({"name": "First"})).await;
    let second_agent = app.agent(json!({"name": "Second", "system_prompt": "I am the second."})).await;
    let first = open(&app, ANA, &first_agent).await;
    app.contact_sends(ANA, first["activation_code"].as_str().unwrap()).await;
    app.run_until_idle().await;
    let second = open(&app, ANA, &second_agent).await;
    assert_eq!(status(&app, &first).await, "expired");
    app.contact_sends(ANA, second["activation_code"].as_str().unwrap()).await;
    app.run_until_idle().await;
    app.model().says("hi");
    app.contact_sends(ANA, "who are you?").await;
    app.run_until_idle().await;
    assert!(app.model().last_texts("system")[0].contains("I am the second."));
}

#[tokio::test]
async fn latest_activation_owns_the_phone_across_projects() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Mine"})).await;
    app.activate(ANA, &agent).await;
    let mine = app.get("/api/v1/sandbox_sessions").await.data()[0].clone();
    let other = app.app.operator().create_project("Other").await.unwrap();
    let (_, key) = app.app.operator().create_key(&other.to_string()).await.unwrap();
    let theirs =
        app.call_as(Some(&key), Method::POST, "/api/v1/agents", Some(json!({"agent": {"name": "Theirs"}}))).await.id();
    let body = json!({"whatsapp_sandbox_session": {"phone_number": ANA, "agent_id": theirs}});
    let session = app.call_as(Some(&key), Method::POST, "/api/v1/sandbox_sessions", Some(body)).await;
    assert_eq!(status(&app, &mine).await, "active", "a pending session does not replace the active one");
    app.contact_sends(ANA, session.data()["activation_code"].as_str().unwrap()).await;
    app.run_until_idle().await;
    assert_eq!(status(&app, &mine).await, "expired");
}

#[tokio::test]
async fn active_session_ends_after_a_day() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Front desk"})).await;
    app.activate(ANA, &agent).await;
    app.forward(Span::from_hours(25)).await;
    app.contact_sends(ANA, "still there?").await;
    app.run_until_idle().await;
    assert_eq!(app.model().requests().len(), 0);
    assert!(last_heard(&app, ANA).await.contains("número de teste"));
}

#[tokio::test]
async fn session_fields_are_validated() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Front desk"})).await;
    let post = async |body: Value| app.post("/api/v1/sandbox_sessions", body).await;
    assert_eq!(post(json!({"phone_number": ANA, "agent_id": agent})).await.status, 400);
    let wrong = post(json!({"whatsapp_sandbox_session": {"phone_number": "call me", "agent_id": "absent"}})).await;
    assert_eq!(wrong.status, 422);
    let fields: Vec<&String> = wrong.body["errors"].as_object().unwrap().keys().collect();
    assert_eq!(fields, ["phone_number", "agent_id"]);
    let foreign =
        json!({"whatsapp_sandbox_session": {"phone_number": ANA, "agent_id": "0197a1b2-0000-7000-8000-000000000001"}});
    assert_eq!(post(foreign).await.status, 422);
}
