//! Snapshots and test chats: the same engine without WhatsApp (docs/spec/engine.md 6.1, S37).

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Answer, TestApp};

fn messages(chat: &Value) -> Vec<(&str, &str)> {
    let lines = chat["conversation"].as_array().unwrap().iter();
    lines.map(|line| (line["role"].as_str().unwrap(), line["content"].as_str().unwrap())).collect()
}

/// Sends a text to the live agent and returns the chat once the agent waits.
async fn send_text(app: &TestApp, agent: &str, more: Value) -> Value {
    let mut body = json!({"message": "hello"});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let answer = app.post(&format!("/api/v1/agents/{agent}/test_chats"), body).await;
    assert_eq!((answer.status, &answer.data()["status"]), (201, &json!("processing")), "{}", answer.body);
    app.run_until_idle().await;
    read(app, &answer.id()).await
}

async fn read(app: &TestApp, chat: &str) -> Value {
    app.get(&format!("/api/v1/test_chats/{chat}")).await.data().clone()
}

async fn sent_to_whatsapp(app: &TestApp) -> Value {
    app.emulator_call(Method::GET, "/requests", None).await
}

/// S37, for the tools of version 2.
#[tokio::test]
async fn test_mode_messages_stay_in_the_chat() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Plain"})).await;
    let before = sent_to_whatsapp(&app).await;
    app.model().calls(&[("send_notification_to_user", json!({"message": "One moment"})), ("WaitForUser", json!({}))]);
    let chat = send_text(&app, &agent, json!({})).await;
    assert_eq!(messages(&chat), [("user", "hello"), ("assistant", "One moment")]);
    app.model().says("Yes?");
    let chat = send_text(
        &app,
        &agent,
        json!({"message": {"type": "user_input", "content": {"text": "so?"}}, "agent_test_chat_id": chat["id"]}),
    )
    .await;
    assert_eq!(
        (&chat["status"], &chat["error"], &chat["agent_snapshot_id"]),
        (&json!("completed"), &Value::Null, &Value::Null)
    );
    assert_eq!(messages(&chat)[2..], [("user", "so?"), ("assistant", "Yes?")]);
    assert!(app.model().last_texts("tool").contains(&"Message sent: One moment".to_owned()));
    assert_eq!(sent_to_whatsapp(&app).await, before, "WhatsApp received no request");
    assert_eq!(app.get("/api/v1/whatsapp_conversations").await.data(), &json!([]), "no list shows it");
    assert_eq!(app.get(&format!("/api/v1/agents/{agent}/executions")).await.data(), &json!([]));
}

#[tokio::test]
async fn busy_chat_can_be_read_and_refuses_a_second_message() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Plain"})).await;
    let path = format!("/api/v1/agents/{agent}/test_chats");
    app.model().calls(&[("send_notification_to_user", json!({"message": "Looking it up"}))]);
    app.model().says_when_released("Here it is.");
    let chat = app.post(&path, json!({"message": "hello", "agent_test_chat_id": null})).await.id();
    let looking_on = async {
        app.model().received(2).await;
        let half = read(&app, &chat).await;
        assert_eq!(half["status"], "processing");
        assert_eq!(messages(&half), [("user", "hello"), ("assistant", "Looking it up")]);
        let again = app.post(&path, json!({"message": "hey", "agent_test_chat_id": chat})).await;
        assert_eq!(code(&again), (422, "chat_busy"));
        app.model().release();
    };
    tokio::join!(app.run_until_idle(), looking_on);
    let whole = read(&app, &chat).await;
    assert_eq!(
        (&whole["status"], messages(&whole).last().unwrap()),
        (&json!("completed"), &("assistant", "Here it is."))
    );
}

#[tokio::test]
async fn chat_reports_a_failed_execution_and_continues() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Plain"})).await;
    app.model().fails(401);
    let chat = send_text(&app, &agent, json!({})).await;
    assert_eq!(chat["status"], "error");
    assert!(chat["error"].as_str().is_some_and(|text| !text.is_empty()));
    let resumed = app.post(&format!("/api/v1/test_chats/{}/resume", chat["id"].as_str().unwrap()), json!({})).await;
    assert_eq!((resumed.status, &resumed.body["code"]), (422, &json!("invalid_transition")));
    let said = (&resumed.body["error"], &resumed.body["message"]);
    assert_eq!(said, (&json!("Test chat cannot be resumed"), &json!("Status is error")));
    app.model().says("Back.");
    let chat = send_text(&app, &agent, json!({"agent_test_chat_id": chat["id"]})).await;
    assert_eq!((&chat["status"], messages(&chat).last().unwrap()), (&json!("completed"), &("assistant", "Back.")));
}

#[tokio::test]
async fn payload_resumes_a_chat_without_becoming_a_message() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Plain"})).await;
    app.model().says("Which order?");
    let chat = send_text(&app, &agent, json!({})).await;
    let path = format!("/api/v1/test_chats/{}/resume", chat["id"].as_str().unwrap());
    app.model().says("Your order is ready.");
    let resumed = app.post(&path, json!({"message": {"type": "payload", "content": {"order_ready": true}}})).await;
    assert_eq!((resumed.status, &resumed.data()["status"]), (200, &json!("processing")));
    assert_eq!(app.post(&path, json!({})).await.status, 422, "it is processing");
    app.run_until_idle().await;
    let chat = read(&app, chat["id"].as_str().unwrap()).await;
    assert_eq!(messages(&chat)[1..], [("assistant", "Which order?"), ("assistant", "Your order is ready.")]);
    assert!(app.model().requests().last().unwrap().to_string().contains("order_ready"));
}

#[tokio::test]
async fn chat_branches_from_a_waiting_point_and_keeps_the_old_branch() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Plain"})).await;
    app.model().says("First?");
    let first = send_text(&app, &agent, json!({})).await;
    app.model().says("Second?");
    let second = send_text(&app, &agent, json!({"message": "left", "agent_test_chat_id": first["id"]})).await;
    assert_eq!(second["checkpoint"]["parent_checkpoint_id"], first["checkpoint"]["checkpoint_id"]);
    app.model().says("Other?");
    let from = &first["checkpoint"]["checkpoint_id"];
    let body = json!({"message": "right", "agent_test_chat_id": first["id"], "checkpoint_id": from});
    let branch = send_text(&app, &agent, body).await;
    assert_eq!(
        messages(&branch),
        [("user", "hello"), ("assistant", "First?"), ("user", "right"), ("assistant", "Other?")]
    );
    assert_eq!(&branch["checkpoint"]["parent_checkpoint_id"], from);
    let seen = app.model().requests().last().unwrap().to_string();
    assert!(seen.contains("right") && seen.contains("First?") && !seen.contains("left"), "{seen}");
    // The old branch can be continued too.
    app.model().says("Third?");
    let from = &second["checkpoint"]["checkpoint_id"];
    let back =
        send_text(&app, &agent, json!({"message": "on", "agent_test_chat_id": first["id"], "checkpoint_id": from}))
            .await;
    assert_eq!(
        messages(&back)[2..],
        [("user", "left"), ("assistant", "Second?"), ("user", "on"), ("assistant", "Third?")]
    );
    let body = json!({"message": "x", "agent_test_chat_id": first["id"], "checkpoint_id": agent});
    let unknown = app.post(&format!("/api/v1/agents/{agent}/test_chats"), body).await;
    assert_eq!((unknown.status, &unknown.body["details"][0]["code"]), (422, &json!("unknown_checkpoint")));
}

#[tokio::test]
async fn message_after_the_end_starts_a_new_execution_in_the_same_chat() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Plain"})).await;
    app.model().calls(&[("MoveToNextNode", json!({"next_node": "__end__", "reason": "done"}))]);
    let chat = send_text(&app, &agent, json!({})).await;
    assert_eq!(chat["status"], "completed");
    app.model().says("Hello again.");
    let chat = send_text(&app, &agent, json!({"message": "back", "agent_test_chat_id": chat["id"]})).await;
    assert_eq!(messages(&chat), [("user", "hello"), ("user", "back"), ("assistant", "Hello again.")]);
    assert!(!app.model().requests().last().unwrap().to_string().contains("hello"), "its memory is separate");
}

fn code(answer: &Answer) -> (u16, &str) {
    (answer.status, answer.body["code"].as_str().unwrap_or_default())
}

#[tokio::test]
async fn snapshot_never_changes_and_chats_run_its_graph() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Bakery"})).await;
    let path = format!("/api/v1/agents/{agent}/agent_snapshots");
    let own = app.call(Method::POST, &path, None).await;
    assert_eq!(own.status, 201, "{}", own.body);
    assert!(own.data()["name"].as_str().unwrap().starts_with("Bakery Snapshot (2"), "{}", own.body);
    assert_eq!(app.post(&path, json!({})).await.id(), own.id(), "the same state is the same snapshot");
    let graph = json!({"nodes": [{"name": "__start__", "type": "DefaultNode"},
        {"name": "bread", "type": "DefaultNode", "prompt": "Talk about rye."}, {"name": "__end__", "type": "DefaultNode"}],
        "edges": [{"from": "__start__", "to": "bread"}, {"from": "bread", "to": "__end__", "label": "done"}]});
    let given = app.post(&path, json!({"graph": graph})).await;
    assert_ne!(given.id(), own.id());
    assert_eq!(given.data()["graph"]["nodes"][1]["name"], "bread");
    let unchanged = app.get(&format!("/api/v1/agents/{agent}/graph")).await;
    assert_eq!(unchanged.data()["graph"], own.data()["graph"], "the agent is unchanged");
    let found = app.get(&format!("/api/v1/agent_snapshots/{}", given.id())).await;
    assert_eq!(found.data(), given.data());
    app.patch(&format!("/api/v1/agents/{agent}"), json!({"agent": {"system_prompt": "Changed."}})).await.data();
    app.model().says("Rye it is.");
    let chats = format!("/api/v1/agent_snapshots/{}/test_chats", given.id());
    let chat = app.post(&chats, json!({"message": "hi"})).await;
    assert_eq!(chat.data()["agent_snapshot_id"], json!(given.id()));
    app.run_until_idle().await;
    let request = app.model().requests().last().unwrap().to_string();
    assert!(request.contains("Talk about rye.") && !request.contains("Changed."));
    let elsewhere = app
        .post(&format!("/api/v1/agents/{agent}/test_chats"), json!({"message": "x", "agent_test_chat_id": chat.id()}))
        .await;
    assert_eq!(code(&elsewhere), (404, "not_found"));
    let bad = app.post(&path, json!({"graph": {"nodes": [], "edges": []}})).await;
    assert_eq!(bad.status, 422);
    assert!(bad.body["details"][0]["path"].as_str().unwrap().starts_with("/graph"), "{}", bad.body);
}

#[tokio::test]
async fn chat_that_ended_in_a_handoff_says_so_in_its_last_line() {
    let app = TestApp::start().await;
    let nodes = json!([{"name": "__start__"}, {"name": "a", "prompt": "Help."}, {"name": "h", "type": "HandoffNode"}, {"name": "__end__"}]);
    let edges = json!([{"from": "__start__", "to": "a"}, {"from": "a", "to": "h"}, {"from": "a", "to": "__end__"}]);
    let agent = app.agent(json!({"name": "Desk", "graph": {"nodes": nodes, "edges": edges}})).await;
    app.model().calls(&[("MoveToNextNode", json!({"next_node": "h", "reason": "wants a person"}))]);
    let chat = send_text(&app, &agent, json!({})).await;
    assert_eq!(chat["status"], "completed");
    assert_eq!(messages(&chat)[1..], [("assistant", "[The agent handed the conversation over to a person.]")]);
}
