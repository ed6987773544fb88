//! Closing and reopening conversations, and the list of a conversation's executions.

use domain::Span;
use serde_json::{Value, json};
use testkit::{ANA, Answer, TestApp};

async fn desk() -> (TestApp, String) {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Plain"})).await;
    app.activate(ANA, &agent).await;
    (app, agent)
}

async fn exchange(app: &TestApp, text: &str, answer: &str) {
    app.model().says(answer);
    app.contact_sends(ANA, text).await;
    app.run_until_idle().await;
}

async fn set(app: &TestApp, conversation: &str, status: &str) -> Answer {
    let path = format!("/api/v1/whatsapp_conversations/{conversation}");
    app.patch(&path, json!({"whatsapp_conversation": {"status": status}})).await
}

async fn in_status(app: &TestApp, status: &str) -> Vec<String> {
    let list = app.get(&format!("/api/v1/whatsapp_conversations?q[status_eq]={status}")).await;
    list.data().as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

async fn end_of_execution(app: &TestApp, agent: &str) -> (Value, Value) {
    let execution = app.execution(agent).await;
    (execution["status"].clone(), execution["end_reason"].clone())
}

#[tokio::test]
async fn closing_ends_execution_and_timers_and_the_next_message_opens_a_new_conversation() {
    let (app, agent) = desk().await;
    exchange(&app, "hi", "hello").await;
    let first = app.conversation().await;
    let before = app.get(&format!("/api/v1/whatsapp_conversations/{first}")).await;
    app.clock.forward(Span::from_mins(1));
    let closed = set(&app, &first, "ended").await;
    assert_eq!(closed.data()["status"], "ended");
    assert_eq!(closed.data()["last_active_at"], before.data()["last_active_at"], "no message was sent");
    assert_eq!(set(&app, &first, "ended").await.data(), closed.data());
    app.run_until_idle().await;
    assert_eq!(end_of_execution(&app, &agent).await, (json!("ended"), json!("conversation_closed")));
    app.forward(Span::from_hours(25)).await;
    assert_eq!(end_of_execution(&app, &agent).await.1, "conversation_closed", "its timer was deleted");

    let session = app.activate(ANA, &agent).await;
    assert!(!session.is_empty());
    exchange(&app, "again", "hello again").await;
    let (active, ended) = (in_status(&app, "active").await, in_status(&app, "ended").await);
    assert_eq!(ended, std::slice::from_ref(&first));
    assert!(active.len() == 1 && active[0] != first);
    let refused = set(&app, &first, "active").await;
    assert_eq!((refused.status, refused.body["code"].as_str()), (422, Some("conversation_open")));
    assert_eq!(in_status(&app, "ended").await, [first]);
}

#[tokio::test]
async fn closing_does_not_wait_for_a_model_call() {
    let (app, agent) = desk().await;
    app.model().says_when_released("too late");
    app.contact_sends(ANA, "hi").await;
    let conversation = app.conversation().await;
    let closed = async {
        app.model().received(1).await;
        set(&app, &conversation, "ended").await.data();
    };
    tokio::join!(app.run_until_idle(), closed);
    app.run_until_idle().await;
    assert_eq!(end_of_execution(&app, &agent).await, (json!("ended"), json!("conversation_closed")));
    assert!(app.received_texts(ANA).await.is_empty());
}

#[tokio::test]
async fn reopened_conversation_receives_the_next_message() {
    let (app, agent) = desk().await;
    exchange(&app, "hi", "hello").await;
    let conversation = app.conversation().await;
    set(&app, &conversation, "ended").await.data();
    app.run_until_idle().await;
    assert_eq!(set(&app, &conversation, "active").await.data()["status"], "active");
    app.run_until_idle().await;
    assert_eq!(app.model().requests().len(), 1, "no new message");
    app.forward(Span::from_secs(1)).await;
    exchange(&app, "me again", "welcome back").await;
    assert_eq!((app.conversation().await, in_status(&app, "active").await.len()), (conversation, 1));
    assert_eq!(app.execution(&agent).await["status"], "paused");
}

#[tokio::test]
async fn closing_releases_the_assignment_and_drops_waiting_input() {
    let (app, agent) = desk().await;
    let conversation = app.conversation().await;
    let path = format!("/api/v1/whatsapp_conversations/{conversation}/conversation_assignments");
    let maria = app.member("maria@example.test").await;
    app.post(&path, json!({"conversation_assignment": {"user_id": maria}})).await.data();
    app.contact_sends(ANA, "is anybody there?").await;
    app.run_until_idle().await;
    set(&app, &conversation, "ended").await.data();
    app.run_until_idle().await;
    assert_eq!(app.get(&path).await.data()[0]["active"], false);
    set(&app, &conversation, "active").await.data();
    app.forward(Span::from_secs(1)).await;
    assert_eq!(app.model().requests().len(), 0);
    exchange(&app, "hello?", "yes?").await;
    assert_eq!(app.execution(&agent).await["status"], "paused");
    assert_eq!(
        app.model().last_texts("user"),
        ["is anybody there?", "hello?"],
        "the next execution receives it as history"
    );
}

#[tokio::test]
async fn conversation_lists_its_executions_and_names_the_active_one() {
    let (app, agent) = desk().await;
    app.model().calls(&[("MoveToNextNode", json!({"next_node": "__end__", "reason": "done"}))]);
    app.contact_sends(ANA, "bye").await;
    app.run_until_idle().await;
    app.forward(Span::from_secs(5)).await;
    exchange(&app, "hi", "hello").await;
    let path = format!("/api/v1/whatsapp_conversations/{}/agent_executions", app.conversation().await);
    let list = app.get(&path).await;
    let links = list.data().as_array().unwrap();
    let seen: Vec<_> = links.iter().map(|link| (&link["agent_execution"]["status"], &link["active"])).collect();
    assert_eq!(seen, [(&json!("paused"), &json!(true)), (&json!("ended"), &json!(false))]);
    let (link, execution) = (&links[0]["id"], &links[0]["agent_execution"]["id"]);
    assert_eq!(
        (execution, &links[0]["agent_execution"]["agent_id"]),
        (&app.execution(&agent).await["id"], &json!(agent))
    );
    assert_eq!(app.get(&format!("{path}/{}", link.as_str().unwrap())).await.data(), &links[0]);
    let by_execution = app.get(&format!("{path}/{}", execution.as_str().unwrap())).await;
    assert_eq!(by_execution.status, 404, "the id is the link's");
}
