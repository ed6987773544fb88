//! Marking messages as read, and deleting them.

use super::{last_on_phone, send, shown, talking};
use domain::Span;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{ANA, TestApp};

async fn inbound(app: &TestApp) -> Vec<Value> {
    app.messages().await.into_iter().filter(|message| message["direction"] == "inbound").collect()
}

async fn mark(app: &TestApp, message: &Value, query: &str) -> testkit::Answer {
    let path = format!("/api/v1/whatsapp_messages/{}/mark_as_read{query}", message["id"].as_str().unwrap());
    app.call(Method::PATCH, &path, None).await
}

async fn on_phone(app: &TestApp) -> (Vec<String>, bool) {
    let path = format!("/chats/{}/{}", emulator::PHONE_NUMBER_ID, ANA.trim_start_matches('+'));
    let chat = app.emulator_call(Method::GET, &path, None).await;
    let read = |message: &&Value| message["statuses"].as_array().unwrap().iter().any(|one| one["status"] == "read");
    let incoming = chat["messages"].as_array().unwrap().iter().filter(|message| message["direction"] == "in");
    let read = incoming.filter(read).map(|message| message["id"].as_str().unwrap().to_owned()).collect();
    (read, chat["typing"] == true)
}

#[tokio::test]
async fn marking_read_includes_earlier_messages_and_notifies_whatsapp_later() {
    let (app, path) = talking().await;
    let wamid = app
        .emulator_call(Method::POST, "/inbound", Some(json!({"from": ANA, "type": "system", "system": {"body": "x"}})))
        .await;
    let messages = inbound(&app).await;
    let last = messages.last().unwrap();
    assert_eq!(last["whatsapp_message_id"], wamid["message_id"]);
    let marked = mark(&app, last, "").await;
    assert_eq!((marked.status, marked.data()["status"].as_str()), (200, Some("read")));
    assert_eq!(on_phone(&app).await.0, Vec::<String>::new(), "in the background");
    for message in inbound(&app).await {
        assert_eq!(message["status"], "read", "earlier items are included");
    }
    app.run_until_idle().await;
    let (read, typing) = on_phone(&app).await;
    assert_eq!((read.len(), typing), (messages.len(), true));
    app.forward(Span::from_secs(26)).await;
    // A repeat changes nothing.
    mark(&app, last, "").await.data();
    app.run_until_idle().await;
    assert!(!on_phone(&app).await.1, "nothing was sent again");
    let ours = send(&app, &path, json!({"content": "hello"})).await.data().clone();
    let refused = mark(&app, &ours, "").await;
    assert_eq!(
        (refused.status, refused.body["message"].as_str()),
        (400, Some("Can only mark inbound messages as read"))
    );
}

#[tokio::test]
async fn typing_is_optional_and_a_lost_receipt_is_resent() {
    let (app, _) = talking().await;
    let rule = json!({"when": {"surface": "any_graph"}, "trigger": {"next": 1}, "do": {"error": "server_500"}});
    app.emulator_call(Method::POST, "/faults", Some(rule)).await;
    let message = inbound(&app).await[0].clone();
    mark(&app, &message, "?typing_indicator=false").await.data();
    app.run_until_idle().await;
    assert!(on_phone(&app).await.0.is_empty());
    app.forward(Span::from_secs(5)).await;
    let (read, typing) = on_phone(&app).await;
    assert_eq!((read.len(), typing), (1, false));
    assert_eq!(mark(&app, &message, "?typing_indicator=maybe").await.status, 422);
}

#[tokio::test]
async fn refused_read_receipt_is_abandoned() {
    let (app, _) = talking().await;
    let rule = json!({"when": {"surface": "any_graph"}, "do": {"error": "server_500"}});
    app.emulator_call(Method::POST, "/faults", Some(rule)).await;
    let message = inbound(&app).await[0].clone();
    mark(&app, &message, "").await.data();
    for _ in 0..10 {
        app.forward(Span::from_mins(1)).await;
    }
    let mut reader = app.app.context().store.read().await.unwrap();
    let receipts = store::unscoped::due_calls(&mut reader.conn(), app.clock.now() + Span::from_hours(9), 9).await;
    assert!(receipts.unwrap().is_empty());
}

#[tokio::test]
async fn deleting_a_message_keeps_it_on_the_phone() {
    let (app, path) = talking().await;
    let sent = send(&app, &path, json!({"content": "a secret"})).await;
    let message = format!("/api/v1/whatsapp_messages/{}", sent.id());
    let delete = async || app.call(Method::DELETE, &message, None).await;
    let early = delete().await;
    assert_eq!((early.status, early.body["code"].as_str()), (403, Some("still_sending")));
    app.run_until_idle().await;
    assert_eq!(shown(&app, &path, &sent.id()).await["content"], "a secret");
    assert_eq!(delete().await.status, 204);
    assert_eq!(delete().await.status, 404);
    let list = app.get(&path).await;
    assert!(!list.body.to_string().contains("a secret"), "{}", list.body);
    assert_eq!(last_on_phone(&app).await["content"]["body"], "a secret");
    // Later statuses change nothing.
    app.forward(Span::from_secs(5)).await;
    assert_eq!(app.get(&path).await.body["meta"]["total_count"], list.body["meta"]["total_count"]);
}
