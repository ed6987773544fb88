//! Authors of messages, notes and assignments, in the store and in events.

use super::client::Client;
use domain::{Id, author::Author, message::MessageOrigin};
use serde_json::{Value, json};
use store::{contact_notes, conversation_assignments, messages};
use testkit::{ANA, TestApp};

/// Author of an event.
fn author(data: &Value) -> (&str, &str) {
    (data["author"]["type"].as_str().unwrap(), data["author"]["id"].as_str().unwrap())
}

#[tokio::test]
async fn messages_notes_and_assignments_have_authors() {
    let mut app = TestApp::start().await;
    app.key = app.app.operator().create_key(&app.project.to_string()).await.unwrap().1;
    let keys = app.get("/api/v1/api_keys").await.data().clone();
    let is_ours = |key: &&Value| app.key.starts_with(key["prefix"].as_str().unwrap());
    let key_id = keys.as_array().unwrap().iter().find(is_ours).unwrap()["id"].as_str().unwrap().to_owned();
    let agent = app.agent(json!({"name": "Desk"})).await;
    app.activate(ANA, &agent).await;
    let mut client = Client::open(&app).await;
    app.model().says("Yes?");
    app.contact_sends(ANA, "hi").await;
    app.run_until_idle().await;

    let execution = app.execution(&agent).await["id"].as_str().unwrap().to_owned();
    let by_agent = client.change("message.created").await.data;
    assert_eq!(author(&by_agent), ("execution", execution.as_str()));
    assert_eq!(by_agent["conversation_id"], *app.conversation().await);

    let conversation = format!("/api/v1/whatsapp_conversations/{}", app.conversation().await);
    let member = app.member("maria@example.test").await;
    let body = json!({"conversation_assignment": {"user_id": member}});
    let assignment = app.post(&format!("{conversation}/conversation_assignments"), body).await.id();
    let sent =
        app.post(&format!("{conversation}/whatsapp_messages"), json!({"message": {"content": "Maria here."}})).await;
    let by_key = client.change("message.created").await.data;
    assert_eq!(author(&by_key), ("api_key", key_id.as_str()));
    assert_eq!(by_key["object_id"], sent.id());
    let note =
        app.post(&format!("/api/v1/whatsapp_contacts/{ANA}/notes"), json!({"note": {"content": "Kind"}})).await.id();
    let noted = client.change("note.changed").await.data;
    assert_eq!((author(&noted), noted["object_id"].as_str()), (("api_key", key_id.as_str()), Some(note.as_str())));

    let mut reader = app.app.context().store.read().await.unwrap();
    let conn = &mut reader.conn();
    let (execution, key) = (Author::Execution(execution.parse().unwrap()), Author::ApiKey(key_id.parse().unwrap()));
    let stored = messages::list(conn, app.project, app.conversation().await.parse().unwrap(), 10, 0).await.unwrap().0;
    let stored: Vec<_> = stored.iter().rev().map(|row| (row.origin, row.author)).collect();
    let (contact, sandbox) = ((MessageOrigin::Contact, None), (MessageOrigin::Sandbox, None));
    let (agent, api) = ((MessageOrigin::Agent, Some(execution)), (MessageOrigin::Api, Some(key)));
    assert_eq!(stored, [contact, sandbox, contact, agent, api]);
    let contact = messages::find(conn, app.project, Id::from_uuid(sent.id().parse().unwrap())).await.unwrap().unwrap();
    let conversation = contact.conversation_id;
    let contact = store::conversations::find(conn, app.project, conversation).await.unwrap().unwrap().contact_id;
    let note = contact_notes::find(conn, app.project, contact, note.parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(note.author, Some(key));
    let assignment = assignment.parse().unwrap();
    let assignment =
        conversation_assignments::find(conn, app.project, conversation, assignment).await.unwrap().unwrap();
    assert_eq!(assignment.author, Some(key));
}
