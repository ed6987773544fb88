//! Contact context in prompts: metadata, notes, local time, the caller's message contexts and
//! earlier messages.

use domain::Span;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{ANA, TestApp};

fn system(app: &TestApp) -> String {
    app.model().requests().last().unwrap()["messages"][0]["content"].as_str().unwrap().to_owned()
}

fn texts(app: &TestApp) -> Vec<(String, String)> {
    let requests = app.model().requests();
    let messages = requests.last().unwrap()["messages"].as_array().unwrap();
    let text = |field: &Value| field.as_str().unwrap_or_default().to_owned();
    messages.iter().skip(1).map(|message| (text(&message["role"]), text(&message["content"]))).collect()
}

async fn turn(app: &TestApp, text: &str) {
    app.model().says("And?");
    app.contact_sends(ANA, text).await;
    app.run_until_idle().await;
}

async fn end(app: &TestApp, agent: &str) {
    let id = app.execution(agent).await["id"].as_str().unwrap().to_owned();
    let body = json!({"agent_execution": {"status": "ended"}});
    assert!(app.call(Method::PUT, &format!("/api/v1/agents/{agent}/executions/{id}"), Some(body)).await.status < 300);
    app.run_until_idle().await;
}

async fn note(app: &TestApp, note: Value) -> String {
    app.post(&format!("/api/v1/whatsapp_contacts/{ANA}/notes"), json!({"note": note})).await.id()
}

async fn metadata(app: &TestApp, metadata: Value) {
    let body = json!({"contact": {"metadata": metadata}});
    assert_eq!(app.patch(&format!("/api/v1/whatsapp_contacts/{ANA}"), body).await.status, 200);
}

#[tokio::test]
async fn prompt_has_current_metadata_and_notes_at_each_message() {
    let app = TestApp::start().await;
    let graph = json!({
        "nodes": [{"name": "__start__"}, {"name": "a", "prompt": "Talk about {{contact.metadata.plan}}."}, {"name": "__end__"}],
        "edges": [{"from": "__start__", "to": "a"}, {"from": "a", "to": "__end__", "label": "done"}]});
    let agent = app.agent(json!({"name": "Desk", "graph": graph})).await;
    app.activate(ANA, &agent).await;
    metadata(&app, json!({"plan": "Gold", "time_zone": "America/Bogota"})).await;
    note(&app, json!({"name": "Invoice", "content": "Pays late"})).await;
    note(&app, json!({"name": "Gossip", "content": "Likes cake", "metadata": {"private": true}})).await;
    turn(&app, "hi").await;
    let prompt = system(&app);
    for wanted in ["plan: Gold", "Note: Invoice: Pays late (added 2026-09-21)", "(America/Bogota)"] {
        assert!(prompt.contains(wanted), "{wanted:?} is not in {prompt}");
    }
    assert!(!prompt.contains("cake"), "{prompt}");
    assert!(texts(&app).iter().any(|(_, text)| text.contains("Talk about Gold.")));
    // Changes during an execution appear in its next prompt.
    metadata(&app, json!({"plan": "Silver"})).await;
    let second = note(&app, json!({"content": "Wants a call"})).await;
    turn(&app, "me again").await;
    let prompt = system(&app);
    assert!(
        prompt.contains("plan: Silver") && prompt.contains("Note: note: Wants a call") && prompt.contains("(UTC)"),
        "{prompt}"
    );
    let path = format!("/api/v1/whatsapp_contacts/{ANA}/notes/{second}");
    app.call(Method::DELETE, &path, None).await;
    turn(&app, "and again").await;
    assert!(!system(&app).contains("Wants a call"));
}

#[tokio::test]
async fn turn_without_changes_adds_no_contact_context() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Desk"})).await;
    app.activate(ANA, &agent).await;
    metadata(&app, json!({"plan": "Gold"})).await;
    turn(&app, "one").await;
    turn(&app, "two").await;
    let count = app.stored_texts().await.into_iter().filter(|text| text.contains("\"input\":\"contact\"")).count();
    assert_eq!(count, 1);
}

#[tokio::test]
async fn initial_payload_fills_prompt_variables() {
    let app = TestApp::start().await;
    let graph = json!({
        "nodes": [{"name": "__start__"}, {"name": "a", "prompt": "Order {{vars.order}}."}, {"name": "__end__"}],
        "edges": [{"from": "__start__", "to": "a"}, {"from": "a", "to": "__end__", "label": "done"}]});
    let agent = app.agent(json!({"name": "Desk", "graph": graph})).await;
    app.activate(ANA, &agent).await;
    app.contact_sends(ANA, "warm up").await;
    app.model().says("Hi.");
    app.run_until_idle().await;
    end(&app, &agent).await;
    app.model().calls(&[("MoveToNextNode", json!({"next_node": "__end__", "reason": "done"}))]);
    let body = json!({"phone_number": ANA, "message": {"type": "payload", "content": {"order": 1042}}});
    assert_eq!(app.post(&format!("/api/v1/agents/{agent}/executions"), body).await.status, 202);
    app.run_until_idle().await;
    assert!(texts(&app).iter().any(|(_, text)| text.contains("Order 1042.")), "{:?}", texts(&app));
}

#[tokio::test]
async fn message_contexts_of_the_caller_reach_the_prompt() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Desk"})).await;
    let text = |direction: &str, content: &str, sent_at: &str| json!({"direction": direction, "content": content, "sent_at": sent_at});
    let contexts = json!([
        text("outbound", "Your parcel is late.", "2026-01-02T10:00:00Z"),
        text("inbound", "Hello?", "2026-01-01T10:00:00Z"),
        text("inbound", "From tomorrow", "2036-01-01T10:00:00Z"),
    ]);
    let message = json!({"type": "user_input", "content": {"text": "How late?", "message_contexts": contexts}});
    app.model().calls(&[("MoveToNextNode", json!({"next_node": "__end__", "reason": "done"}))]);
    let started = app.post(&format!("/api/v1/agents/{agent}/executions"), json!({"message": message})).await;
    assert_eq!(started.status, 202, "{}", started.body);
    app.run_until_idle().await;
    let messages: Vec<(String, String)> =
        texts(&app).into_iter().filter(|(_, text)| !text.is_empty()).take(3).collect();
    let wanted = [("user", "Hello?"), ("assistant", "Your parcel is late."), ("user", "How late?")];
    assert_eq!(messages, wanted.map(|(role, text)| (role.to_owned(), text.to_owned())));
    let bad = json!({"type": "user_input", "content": {"text": "x", "message_contexts": [{"content": "y"}]}});
    assert_eq!(app.post(&format!("/api/v1/agents/{agent}/executions"), json!({"message": bad})).await.status, 422);
}

#[tokio::test]
async fn execution_gets_messages_since_the_previous_execution_ended() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Desk"})).await;
    app.activate(ANA, &agent).await;
    app.model().says("Good bye then.");
    app.contact_sends(ANA, "first").await;
    app.run_until_idle().await;
    assert!(
        !texts(&app).iter().any(|(_, text)| text.contains("connected")),
        "the activation code is not in the prompt"
    );
    end(&app, &agent).await;
    app.forward(Span::from_mins(1)).await;
    let conversation = app.get("/api/v1/whatsapp_conversations").await.data()[0]["id"].as_str().unwrap().to_owned();
    let body = json!({"message": {"content": "A person here: shall we deliver tomorrow?"}});
    let sent = app.post(&format!("/api/v1/whatsapp_conversations/{conversation}/whatsapp_messages"), body).await;
    assert_eq!(sent.status, 201, "{}", sent.body);
    app.run_until_idle().await;
    turn(&app, "yes please").await;
    let said = |text: &str| !text.is_empty() && !text.starts_with("[system note]");
    let messages: Vec<(String, String)> = texts(&app).into_iter().filter(|(_, text)| said(text)).take(2).collect();
    let wanted = [("assistant", "A person here: shall we deliver tomorrow?"), ("user", "yes please")];
    assert_eq!(messages, wanted.map(|(role, text)| (role.to_owned(), text.to_owned())));
}
