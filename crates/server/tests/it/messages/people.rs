//! Contacts whose number or user id changes, or who hide their number for a time
//! (docs/inbound-messages.md).

use super::webhook;
use domain::Span;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{ANA, OWN_NUMBER_ID, TestApp};

const NEW: &str = "+5521988887777";
const OLD_ID: &str = "BR.1009000000000001";
const NEW_ID: &str = "BR.1009000000000099";

/// An application whose agent answers on its own number.
async fn shop() -> TestApp {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Shop"})).await;
    let (_, config) = app.own_number().await;
    app.run_until_idle().await;
    let link = json!({"agent_whatsapp_config": {"whatsapp_config_id": config}});
    assert_eq!(app.post(&format!("/api/v1/agents/{agent}/agent_whatsapp_configs"), link).await.status, 201);
    app
}

/// A message of a person who shows a number, a user id, or both.
async fn writes(app: &TestApp, number: Option<&str>, user_id: Option<&str>, body: &str) {
    let digits = number.map(|number| number.trim_start_matches('+'));
    let message = json!({"from": digits, "from_user_id": user_id, "id": format!("wamid.{body}"), "type": "text",
        "timestamp": (i64::try_from(emulator::START_SECONDS).unwrap() + 5).to_string(), "text": {"body": body}});
    let contact = json!({"profile": {"name": "Ana Souza"}, "wa_id": digits, "user_id": user_id});
    webhook(app, OWN_NUMBER_ID, "messages", json!({"contacts": [contact], "messages": [message]})).await;
}

/// WhatsApp's notice that a person has another number.
async fn notice(app: &TestApp, id: &str, system: Value) {
    let message = json!({"from": ANA.trim_start_matches('+'), "from_user_id": OLD_ID, "id": id, "type": "system",
        "timestamp": (i64::try_from(emulator::START_SECONDS).unwrap() + 9).to_string(), "system": system});
    webhook(app, OWN_NUMBER_ID, "messages", json!({"messages": [message]})).await;
}

fn changed() -> Value {
    json!({"type": "user_changed_number", "body": "changed", "wa_id": NEW.trim_start_matches('+'), "user_id": NEW_ID})
}

async fn list(app: &TestApp, what: &str) -> Vec<Value> {
    app.get(&format!("/api/v1/{what}?per_page=100")).await.data().as_array().unwrap().clone()
}

async fn conversations(app: &TestApp) -> Vec<Value> {
    list(app, "whatsapp_conversations").await
}

async fn texts(app: &TestApp, conversation: &Value) -> Vec<String> {
    let path = format!("whatsapp_conversations/{}/whatsapp_messages", conversation["id"].as_str().unwrap());
    let mut texts: Vec<String> =
        list(app, &path).await.iter().map(|one| one["content"].as_str().unwrap_or_default().to_owned()).collect();
    texts.reverse();
    texts
}

/// Texts that a phone received from the application's number.
async fn received(app: &TestApp, phone: &str) -> Vec<String> {
    let chat = app.chat_with(OWN_NUMBER_ID, phone).await;
    let ours = chat.iter().filter(|message| message["direction"] == "out");
    ours.map(|message| message["content"]["body"].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn changed_number_keeps_contact_conversation_notes_and_assignment() {
    let app = shop().await;
    app.model().says("Hello Ana.");
    let hi = json!({"from": ANA, "phone_number_id": OWN_NUMBER_ID, "text": "hi"});
    app.emulator_call(Method::POST, "/inbound", Some(hi)).await;
    app.run_until_idle().await;
    let contact = list(&app, "whatsapp_contacts").await[0].clone();
    let path = format!("/api/v1/whatsapp_contacts/{}", contact["id"].as_str().unwrap());
    let note = json!({"note": {"name": "Size", "content": "wears 38"}});
    assert_eq!(app.post(&format!("{path}/notes"), note).await.status, 201);
    let conversation = conversations(&app).await[0].clone();

    let new = json!({"wa_id": NEW, "user_id": NEW_ID});
    app.emulator_call(Method::POST, "/users/ana/change_number", Some(new)).await;
    app.run_until_idle().await;
    let contacts = list(&app, "whatsapp_contacts").await;
    assert_eq!(contacts.len(), 1, "{contacts:?}");
    assert_eq!((&contacts[0]["id"], &contacts[0]["wa_id"]), (&contact["id"], &json!(&NEW[1..])));
    assert_eq!(contacts[0]["profile_name"], contact["profile_name"]);
    let now = conversations(&app).await;
    assert_eq!(now.len(), 1, "{now:?}");
    assert_eq!((&now[0]["id"], &now[0]["phone_number"]), (&conversation["id"], &json!(NEW)));
    assert_eq!(list(&app, &format!("{}/notes", &path["/api/v1/".len()..])).await[0]["content"], "wears 38");

    app.model().says("Still here.");
    let again = json!({"from": NEW, "phone_number_id": OWN_NUMBER_ID, "text": "new phone"});
    app.emulator_call(Method::POST, "/inbound", Some(again)).await;
    app.run_until_idle().await;
    assert_eq!(received(&app, NEW).await, ["Hello Ana.", "Still here."]);
    assert_eq!(conversations(&app).await.len(), 1);
    // A message that was written before the change and arrives after it.
    app.model().says("Noted.");
    writes(&app, Some(ANA), Some(OLD_ID), "late").await;
    app.run_until_idle().await;
    assert_eq!(received(&app, NEW).await.last().unwrap(), "Noted.");
    assert_eq!(list(&app, "whatsapp_contacts").await[0]["wa_id"], json!(&NEW[1..]));
    assert_eq!(conversations(&app).await[0]["phone_number"], NEW);
}

#[tokio::test]
async fn notice_opens_no_service_window_and_repeated_changes_nothing() {
    let app = shop().await;
    notice(&app, "wamid.n1", changed()).await;
    app.run_until_idle().await;
    let conversation = conversations(&app).await[0].clone();
    assert_eq!(conversation["phone_number"], NEW);
    let path = format!("/api/v1/whatsapp_conversations/{}/whatsapp_messages", conversation["id"].as_str().unwrap());
    let refused = super::send(&app, &path, json!({"message_type": "text", "content": "hi"})).await;
    assert_eq!(refused.status, 422, "the contact has not written: {}", refused.body);
    let before = list(&app, "whatsapp_contacts").await;
    notice(&app, "wamid.n1", changed()).await;
    notice(&app, "wamid.n2", changed()).await;
    app.run_until_idle().await;
    assert_eq!(list(&app, "whatsapp_contacts").await, before);
    assert!(!app.metrics().await.contains("kind_not_answered"), "a notice asks for no answer");
}

#[tokio::test]
async fn message_from_the_new_number_before_the_notice_is_answered_and_joins() {
    let app = shop().await;
    app.model().says("Hello Ana.");
    writes(&app, Some(ANA), Some(OLD_ID), "hi").await;
    app.run_until_idle().await;
    let [contact, conversation] =
        [list(&app, "whatsapp_contacts").await[0].clone(), conversations(&app).await[0].clone()];
    // The turn of the new number is due when the notice comes.
    app.model().says("Hello again.");
    writes(&app, Some(NEW), Some(NEW_ID), "my new number").await;
    notice(&app, "wamid.n1", changed()).await;
    app.run_until_idle().await;
    assert_eq!(received(&app, NEW).await, ["Hello again."]);
    let contacts = list(&app, "whatsapp_contacts").await;
    assert_eq!(contacts.len(), 1, "{contacts:?}");
    assert_eq!((&contacts[0]["id"], &contacts[0]["wa_id"]), (&contact["id"], &json!(&NEW[1..])));
    app.model().says("One chat.");
    writes(&app, Some(NEW), Some(NEW_ID), "and now").await;
    app.run_until_idle().await;
    assert_eq!(received(&app, NEW).await, ["Hello again.", "One chat."]);
    let all = conversations(&app).await;
    let open: Vec<&Value> = all.iter().filter(|one| one["status"] == "active").collect();
    assert_eq!((all.len(), open.len(), &open[0]["id"]), (2, 1, &conversation["id"]));
    assert_eq!(texts(&app, open[0]).await, ["hi", "Hello Ana.", "changed", "and now", "One chat."]);
}

#[tokio::test]
async fn person_who_hid_the_number_and_shows_it_is_one_contact() {
    let app = shop().await;
    app.model().says("By number.");
    writes(&app, Some(ANA), None, "hi").await;
    app.run_until_idle().await;
    let [contact, conversation] =
        [list(&app, "whatsapp_contacts").await[0].clone(), conversations(&app).await[0].clone()];
    app.forward(Span::from_secs(60)).await;
    app.model().says("By id.");
    writes(&app, None, Some(OLD_ID), "hidden").await;
    app.run_until_idle().await;
    assert_eq!(list(&app, "whatsapp_contacts").await.len(), 2, "nothing links them yet");
    let hidden = conversations(&app).await.into_iter().find(|one| one["id"] != conversation["id"]).unwrap();
    let hidden_contact =
        list(&app, "whatsapp_contacts").await.into_iter().find(|one| one["id"] != contact["id"]).unwrap();
    let notes = format!("/api/v1/whatsapp_contacts/{}/notes", hidden_contact["id"].as_str().unwrap());
    assert_eq!(app.post(&notes, json!({"note": {"name": "Size", "content": "wears 38"}})).await.status, 201);

    app.model().says("As one.");
    writes(&app, Some(ANA), Some(OLD_ID), "it is me").await;
    app.run_until_idle().await;
    let contacts = list(&app, "whatsapp_contacts").await;
    assert_eq!((contacts.len(), &contacts[0]["id"]), (1, &contact["id"]), "{contacts:?}");
    let notes = format!("whatsapp_contacts/{}/notes", contact["id"].as_str().unwrap());
    assert_eq!(list(&app, &notes).await[0]["content"], "wears 38");
    let all = conversations(&app).await;
    let by = |id: &Value| all.iter().find(|one| one["id"] == *id).unwrap();
    assert_eq!(by(&conversation["id"])["status"], "active");
    assert_eq!(by(&hidden["id"])["status"], "ended");
    assert_eq!(texts(&app, by(&conversation["id"])).await, ["hi", "By number.", "it is me", "As one."]);
    assert_eq!(texts(&app, by(&hidden["id"])).await, ["hidden", "By id."], "nothing is lost");
    // From now on the id alone leads to the same conversation.
    app.model().says("Known.");
    writes(&app, None, Some(OLD_ID), "hidden again").await;
    app.run_until_idle().await;
    assert_eq!(texts(&app, by(&conversation["id"])).await.last().unwrap(), "Known.");
}

#[tokio::test]
async fn assignment_of_a_joined_conversation_moves_to_the_one_that_continues() {
    let app = shop().await;
    app.model().says("By number.");
    writes(&app, Some(ANA), None, "hi").await;
    app.run_until_idle().await;
    app.model().says("By id.");
    writes(&app, None, Some(OLD_ID), "hidden").await;
    app.run_until_idle().await;
    let all = conversations(&app).await;
    let numbered = all.iter().find(|one| one["phone_number"] == ANA).unwrap();
    let hidden = all.iter().find(|one| one["id"] != numbered["id"]).unwrap();
    let person = app.member("rosa@shop.example").await;
    let path = |id: &Value| format!("/api/v1/whatsapp_conversations/{}/conversation_assignments", id.as_str().unwrap());
    let assigned = app.post(&path(&hidden["id"]), json!({"conversation_assignment": {"user_id": person}})).await;
    assert_eq!(assigned.status, 201, "{}", assigned.body);
    writes(&app, Some(ANA), Some(OLD_ID), "it is me").await;
    app.run_until_idle().await;
    let moved = app.get(&path(&numbered["id"])).await;
    assert_eq!((&moved.data()[0]["user_id"], &moved.data()[0]["active"]), (&json!(person), &json!(true)));
    assert_eq!(texts(&app, numbered).await, ["hi", "By number.", "it is me"], "the person answers, not the agent");
}

#[tokio::test]
async fn contact_who_waits_for_a_person_waits_in_the_conversation_that_continues() {
    let app = shop().await;
    app.model().says("By number.");
    writes(&app, Some(ANA), None, "hi").await;
    app.run_until_idle().await;
    app.model().says("A person will write.");
    writes(&app, None, Some(OLD_ID), "a person please").await;
    app.run_until_idle().await;
    let agent = app.get("/api/v1/agents").await.data()[0]["id"].as_str().unwrap().to_owned();
    let execution =
        format!("/api/v1/agents/{agent}/executions/{}", app.execution(&agent).await["id"].as_str().unwrap());
    let handoff = json!({"agent_execution": {"status": "handoff"}});
    app.call(Method::PUT, &execution, Some(handoff)).await.data();
    app.run_until_idle().await;
    writes(&app, Some(ANA), Some(OLD_ID), "it is me").await;
    app.run_until_idle().await;
    let all = conversations(&app).await;
    let numbered = all.iter().find(|one| one["phone_number"] == ANA).unwrap();
    assert_eq!(texts(&app, numbered).await, ["hi", "By number.", "it is me"], "the agent does not answer");
    let waiting = app.get("/api/v1/inbox?view=needs_person").await;
    let waiting: Vec<&Value> = waiting.data().as_array().unwrap().iter().map(|entry| &entry["id"]).collect();
    assert_eq!(waiting, [&numbered["id"]]);
}

#[tokio::test]
async fn new_holder_of_a_number_is_another_contact() {
    let app = shop().await;
    app.model().says("Hello Ana.");
    writes(&app, Some(ANA), Some(OLD_ID), "my secret").await;
    notice(&app, "wamid.n1", changed()).await;
    app.run_until_idle().await;
    app.model().says("Hello stranger.");
    writes(&app, Some(ANA), Some("BR.2009000000000001"), "who is this").await;
    app.run_until_idle().await;
    let contacts = list(&app, "whatsapp_contacts").await;
    assert_eq!(contacts.len(), 2, "{contacts:?}");
    let numbers: Vec<&Value> = contacts.iter().map(|contact| &contact["wa_id"]).collect();
    assert!(numbers.contains(&&json!(&ANA[1..])) && numbers.contains(&&json!(&NEW[1..])), "{numbers:?}");
    assert!(!app.model().last_texts("user").join("\n").contains("secret"), "the stranger's agent knows nothing of Ana");
    // A number that two people show in turn goes with the one who showed it last.
    app.model().says("Welcome.");
    writes(&app, Some(ANA), Some("BR.3009000000000001"), "third").await;
    app.run_until_idle().await;
}

#[tokio::test]
async fn update_of_a_user_id_keeps_the_contact() {
    let app = shop().await;
    app.model().says("Hello.");
    writes(&app, None, Some(OLD_ID), "hi").await;
    app.run_until_idle().await;
    let contact = list(&app, "whatsapp_contacts").await[0]["id"].clone();
    let update = json!([{"detail": "User changed id", "user_id": {"previous": OLD_ID, "current": NEW_ID}, "timestamp": "1790000000"}]);
    webhook(&app, OWN_NUMBER_ID, "user_id_update", json!({"user_id_update": update})).await;
    app.model().says("Still you.");
    writes(&app, None, Some(NEW_ID), "me").await;
    app.run_until_idle().await;
    let contacts = list(&app, "whatsapp_contacts").await;
    assert_eq!((contacts.len(), &contacts[0]["id"]), (1, &contact));
    assert_eq!(texts(&app, &conversations(&app).await[0]).await, ["hi", "Hello.", "me", "Still you."]);
    // Unreadable and unknown ones are kept raw and change nothing.
    for bad in [json!("x"), json!([{"user_id": {}}]), json!([{"user_id": {"previous": "BR.9", "current": "BR.10"}}])] {
        webhook(&app, OWN_NUMBER_ID, "user_id_update", json!({"user_id_update": bad})).await;
    }
    assert_eq!(list(&app, "whatsapp_contacts").await.len(), 1);
}

#[tokio::test]
async fn name_is_found_although_the_sender_is_written_in_another_form() {
    let app = shop().await;
    for (from, wa_id) in [("551199990001", "5511999990001"), ("5215512345678", "525512345678")] {
        let message = json!({"from": from, "id": format!("wamid.{from}"), "type": "text", "text": {"body": "hi"},
            "timestamp": emulator::START_SECONDS.to_string()});
        let contact = json!({"profile": {"name": format!("Person {wa_id}")}, "wa_id": wa_id});
        app.model().says("Hello.");
        webhook(&app, OWN_NUMBER_ID, "messages", json!({"contacts": [contact], "messages": [message]})).await;
        app.run_until_idle().await;
        let contacts = list(&app, "whatsapp_contacts").await;
        assert!(contacts.iter().any(|one| one["profile_name"] == format!("Person {wa_id}")), "{contacts:?}");
    }
}
