//! A person answers from the shop's phone (docs/inbound-messages.md).

use super::talking;
use domain::Span;
use gateways::whatsapp::signature;
use reqwest::Method;
use secrecy::SecretString;
use serde_json::{Value, json};
use std::sync::Arc;
use testkit::{ANA, TestApp, database::TestDatabase};

/// A person writes on the shop's phone. Returns Meta's id of the message.
pub(super) async fn phone_sends(app: &TestApp, mut message: Value) -> String {
    message["to"] = json!(ANA);
    let answer = app.emulator_call(Method::POST, "/echo", Some(message)).await;
    answer["message_id"].as_str().unwrap().to_owned()
}

pub(super) async fn phone_says(app: &TestApp, text: &str) -> String {
    phone_sends(app, json!({ "text": text })).await
}

/// Ana writes, and all due work is done.
pub(super) async fn ana_says(app: &TestApp, text: &str) {
    app.contact_sends(ANA, text).await;
    app.run_until_idle().await;
}

/// An application whose agent has these limits.
async fn with_limits(limits: Value) -> (TestApp, String) {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Plain", "limits": limits})).await;
    app.activate(ANA, &agent).await;
    (app, agent)
}

/// An application with a number of its own, whose agent has these limits.
pub(super) async fn on_own_number(limits: Value) -> (TestApp, String) {
    let app = TestApp::with(true, |config| config.sandbox = None).await;
    let config = app.connect(emulator::PHONE_NUMBER_ID).await.1;
    app.run_until_idle().await;
    let agent = app.agent(json!({"name": "Desk", "limits": limits})).await;
    let link = json!({"agent_whatsapp_config": {"whatsapp_config_id": config}});
    app.post(&format!("/api/v1/agents/{agent}/agent_whatsapp_configs"), link).await.data();
    (app, agent)
}

async fn messages_path(app: &TestApp) -> String {
    format!("/api/v1/whatsapp_conversations/{}/whatsapp_messages", super::conversation(app).await)
}

pub(super) async fn stored(app: &TestApp, path: &str, wamid: &str) -> Vec<Value> {
    let list = app.get(&format!("{path}?per_page=100")).await;
    let all = list.data().as_array().unwrap().clone();
    all.into_iter().filter(|message| message["whatsapp_message_id"] == wamid).collect()
}

/// Texts of the last model request in order, with their roles.
fn asked(app: &TestApp) -> Vec<(String, String)> {
    let request = app.model().requests().pop().unwrap();
    let messages = request["messages"].as_array().unwrap();
    let text = |message: &Value| message["content"].as_str().unwrap_or_default().to_owned();
    let shown = messages.iter().filter(|message| message["role"] != "system" && message["role"] != "developer");
    shown.map(|message| (message["role"].as_str().unwrap().to_owned(), text(message))).collect()
}

pub(super) async fn delivered(app: &TestApp, body: Value) {
    let body = body.to_string().into_bytes();
    let signed = signature::sign(&SecretString::from(emulator::APP_SECRET), &body);
    let request = app.request(Method::POST, "/webhooks/whatsapp").header(signature::HEADER, signed);
    assert_eq!(request.body(body).send().await.unwrap().status(), 200);
}

/// A webhook with echoes of the number.
pub(super) fn echoes(elements: Value) -> Value {
    let metadata = json!({"display_phone_number": "15550001111", "phone_number_id": emulator::PHONE_NUMBER_ID});
    let value = json!({"messaging_product": "whatsapp", "metadata": metadata, "message_echoes": elements});
    let changes = json!([{"field": "smb_message_echoes", "value": value}]);
    json!({"object": "whatsapp_business_account", "entry": [{"id": "200000000000001", "changes": changes}]})
}

pub(super) fn element(wamid: &str, at: i64, node: Value) -> Value {
    let mut element = node;
    element["from"] = json!("15550001111");
    element["to"] = json!(ANA.trim_start_matches('+'));
    element["id"] = json!(wamid);
    element["timestamp"] = json!((i64::try_from(emulator::START_SECONDS).unwrap() + at).to_string());
    element
}

pub(super) fn text(body: &str) -> Value {
    json!({"type": "text", "text": {"body": body}})
}

#[tokio::test]
async fn reply_from_the_phone_is_stored_once_and_starts_no_turn() {
    let (app, path) = talking().await;
    let wamid = phone_says(&app, "Good morning from the shop").await;
    app.emulator_call(Method::POST, "/webhooks/deliveries/1/redeliver", None).await;
    let copies = (0..8).map(|_| delivered(&app, echoes(json!([element("wamid.copy", 1, text("a copy"))]))));
    futures::future::join_all(copies).await;
    app.forward(Span::from_mins(5)).await;
    let messages = stored(&app, &path, &wamid).await;
    let [message] = messages.as_slice() else { panic!("{messages:?}") };
    let facts = ["direction", "content", "status"].map(|field| message[field].clone());
    assert_eq!(facts, [json!("outbound"), json!("Good morning from the shop"), json!("sent")]);
    assert_eq!(stored(&app, &path, "wamid.copy").await.len(), 1);
    assert_eq!(app.model().requests().len(), 0);
    // It is not sent by the server.
    assert_eq!(app.received_texts(ANA).await, ["Good morning from the shop"]);
    let inbox = app.get("/api/v1/inbox").await.data()[0].clone();
    assert_eq!(
        (&inbox["last_message"]["by"], &inbox["last_message"]["direction"]),
        (&json!("phone"), &json!("outbound"))
    );

    // Statuses of it have no token of ours.
    app.emulator_call(Method::POST, &format!("/messages/{wamid}/status"), Some(json!({"status": "read"}))).await;
    app.run_until_idle().await;
    assert_eq!(stored(&app, &path, &wamid).await[0]["status"], "read");
}

#[tokio::test]
async fn reply_that_two_nodes_receive_at_once_is_stored_once() {
    if !TestDatabase::has_postgres() {
        return;
    }
    let (app, path) = talking().await;
    let other = app.another_node(|_| {}).await;
    let receive = async |context: &runtime::Context, body: &Value| {
        let body = body.to_string().into_bytes();
        let signed = signature::sign(&SecretString::from(emulator::APP_SECRET), &body);
        assert_eq!(runtime::ingest::receive(context, Some(&signed), body).await, runtime::ingest::Received::Stored);
    };
    for n in 0..10 {
        let body = echoes(json!([element(&format!("w{n}"), n, text("from the phone"))]));
        tokio::join!(receive(app.app.context(), &body), receive(other.app.context(), &body));
    }
    app.run_until_idle().await;
    for n in 0..10 {
        assert_eq!(stored(&app, &path, &format!("w{n}")).await.len(), 1);
    }
}

#[tokio::test]
async fn reply_before_the_contact_wrote_opens_no_window() {
    let (app, _) = on_own_number(json!({})).await;
    let wamid = phone_says(&app, "Your sofa has arrived").await;
    app.run_until_idle().await;
    let path = messages_path(&app).await;
    assert_eq!(stored(&app, &path, &wamid).await.len(), 1);
    let inbox = app.get("/api/v1/inbox").await.data()[0].clone();
    assert_eq!((&inbox["window_expires_at"], &inbox["unread"]), (&Value::Null, &json!(false)));
    let refused = super::send(&app, &path, json!({"content": "Anything else?"})).await;
    assert_eq!(refused.status, 422, "{}", refused.body);

    // The contact is found by the same rule as in an inbound message.
    ana_says(&app, "Thank you!").await;
    assert_eq!(app.get("/api/v1/whatsapp_conversations").await.data().as_array().unwrap().len(), 1);
    assert_eq!(app.model().requests().len(), 0, "the agent is paused");
    app.model().says("You are welcome.");
    app.forward(Span::from_mins(61)).await;
    let shown = asked(&app);
    let place =
        |text: &str| shown.iter().position(|(_, shown)| shown.contains(text)).unwrap_or_else(|| panic!("{shown:?}"));
    assert!(place("Your sofa has arrived") < place("Thank you!"), "{shown:?}");
    assert_eq!(app.received_texts(ANA).await, ["Your sofa has arrived", "You are welcome."]);
}

#[tokio::test]
async fn reply_during_a_model_call_discards_the_answer() {
    let app = Arc::new(TestApp::start().await);
    let agent = app.agent(json!({"name": "Quick"})).await;
    app.activate(ANA, &agent).await;
    app.model().says_when_released("It costs 12.");
    app.contact_sends(ANA, "What does it cost?").await;
    let turn = tokio::spawn({
        let app = app.clone();
        async move { app.work_until_idle().await }
    });
    app.model().received(1).await;
    phone_says(&app, "It costs 10").await;
    // The model never answers; the turn ends anyway.
    turn.await.unwrap();
    app.model().release();
    app.run_until_idle().await;
    assert_eq!(app.received_texts(ANA).await, ["It costs 10"]);
    assert_eq!(app.model().requests().len(), 1);
    assert_eq!(app.execution(&agent).await["status"], "handoff");
    let needs_person = app.get("/api/v1/inbox?view=needs_person").await;
    assert_eq!(needs_person.data(), &json!([]), "a person has just replied");
    assert_eq!(app.get("/api/v1/inbox?view=agent").await.data().as_array().unwrap().len(), 1);

    // Each reply restarts the pause, and the agent continues with the contact's next message.
    app.forward(Span::from_mins(59)).await;
    phone_says(&app, "Shall I send it?").await;
    app.forward(Span::from_mins(59)).await;
    assert_eq!(app.model().requests().len(), 1);
    app.forward(Span::from_mins(2)).await;
    assert_eq!(app.model().requests().len(), 1, "no one waits for an answer");
    app.model().says("It is on its way.");
    ana_says(&app, "Yes, please").await;
    assert_eq!(app.received_texts(ANA).await.last().unwrap(), "It is on its way.");
    let shown = asked(&app);
    let place = |(role, text): (&str, &str)| {
        shown.iter().position(|shown| shown.0 == role && shown.1.contains(text)).unwrap_or_else(|| panic!("{shown:?}"))
    };
    let texts =
        [("user", "What does it cost?"), ("assistant", "It costs 10\n\nShall I send it?"), ("user", "Yes, please")];
    assert!(texts.map(place).is_sorted(), "{shown:?}");
    assert!(shown.iter().all(|(_, text)| !text.contains("12")), "{shown:?}");
    app.model().says("Bye.");
    ana_says(&app, "Thanks").await;
    assert_eq!(app.received_texts(ANA).await.last().unwrap(), "Bye.", "the agent answers as before");
}

#[tokio::test]
async fn pause_of_some_minutes_ends_with_an_answer_if_the_contact_waits() {
    let limits = json!({"phone_reply_pause": "minutes", "phone_reply_pause_minutes": 5});
    let (app, agent) = with_limits(limits.clone()).await;
    assert_eq!(app.get(&format!("/api/v1/agents/{agent}/graph")).await.data()["limits"], limits);
    phone_says(&app, "I am here").await;
    app.run_until_idle().await;
    ana_says(&app, "Is it blue?").await;
    app.forward(Span::from_mins(4)).await;
    assert_eq!(app.model().requests().len(), 0);
    app.model().says("It is.");
    app.forward(Span::from_mins(2)).await;
    assert_eq!(app.received_texts(ANA).await, ["I am here", "It is."]);
    let user = app.model().last_texts("user");
    assert!(user.iter().any(|text| text.contains("Is it blue?")), "{user:?}");
    app.forward(Span::from_hours(2)).await;
    assert_eq!(app.model().requests().len(), 1);
}

#[tokio::test]
async fn agent_paused_until_resumed_continues_by_the_api_or_after_a_takeover() {
    let (app, agent) = on_own_number(json!({"phone_reply_pause": "until_resumed"})).await;
    app.model().says("Hello.");
    ana_says(&app, "hi").await;
    phone_says(&app, "I take this").await;
    app.run_until_idle().await;
    ana_says(&app, "still there?").await;
    app.forward(Span::from_hours(5)).await;
    assert_eq!(app.model().requests().len(), 1);
    let id = app.execution(&agent).await["id"].as_str().unwrap().to_owned();
    app.model().says("I am.");
    let resumed = app.post(&format!("/api/v1/agents/{agent}/executions/{id}/resume"), json!({})).await;
    assert_eq!(resumed.status, 200, "{}", resumed.body);
    app.run_until_idle().await;
    assert_eq!(app.received_texts(ANA).await, ["Hello.", "I take this", "I am."]);
    app.model().says("Bye.");
    ana_says(&app, "bye").await;
    assert_eq!(app.received_texts(ANA).await.last().unwrap(), "Bye.");

    // Without an execution a person takes over and gives back.
    app.forward(Span::from_hours(30)).await;
    phone_says(&app, "Anything else?").await;
    ana_says(&app, "A chair").await;
    app.forward(Span::from_hours(30)).await;
    assert_eq!(app.model().requests().len(), 3);
    let refused = app.post(&format!("/api/v1/agents/{agent}/executions"), json!({"phone_number": ANA})).await;
    assert_eq!((refused.status, &refused.body["code"]), (409, &json!("agent_paused")), "{}", refused.body);
    let path = messages_path(&app).await;
    let maria = app.member("maria@example.test").await;
    let assignments = path.replace("whatsapp_messages", "conversation_assignments");
    let assignment = json!({"conversation_assignment": {"user_id": maria}});
    let assignment = app.post(&assignments, assignment).await.id();
    let released = json!({"conversation_assignment": {"active": false}});
    app.contact_sends(ANA, "A red one").await;
    app.model().says("Red it is.");
    app.patch(&format!("{assignments}/{assignment}"), released).await.data();
    app.run_until_idle().await;
    assert_eq!(app.received_texts(ANA).await.last().unwrap(), "Red it is.");
    let shown = asked(&app);
    assert!(shown.contains(&("assistant".to_owned(), "Anything else?".to_owned())), "{shown:?}");
}

#[tokio::test]
async fn agent_that_never_pauses_goes_on_and_is_shown_the_reply() {
    let (app, agent) = with_limits(json!({"phone_reply_pause": "never"})).await;
    app.model().says("Hello.");
    ana_says(&app, "hi").await;
    phone_says(&app, "The sofa is blue").await;
    app.run_until_idle().await;
    assert_eq!((app.model().requests().len(), &app.execution(&agent).await["status"]), (1, &json!("paused")));
    app.model().says("Blue.");
    ana_says(&app, "Which colour?").await;
    assert_eq!(app.received_texts(ANA).await, ["Hello.", "The sofa is blue", "Blue."]);
    let shown = asked(&app);
    assert!(shown.contains(&("assistant".to_owned(), "The sofa is blue".to_owned())), "{shown:?}");
}

#[tokio::test]
async fn reply_withdraws_queued_answers_of_the_agent() {
    let (app, _) = talking().await;
    app.model().says("never sent");
    app.contact_sends(ANA, "hi").await;
    while app.model().requests().is_empty() {
        runtime::workers::step(app.app.context()).await.unwrap();
    }
    phone_says(&app, "from the phone").await;
    app.forward(Span::from_mins(5)).await;
    assert_eq!(app.received_texts(ANA).await, ["from the phone"]);
    let failed = app.messages().await.into_iter().find(|message| message["content"] == "never sent").unwrap();
    assert_eq!((&failed["status"], &failed["metadata"]["error"]["code"]), (&json!("failed"), &json!("taken_over")));
}

#[tokio::test]
async fn echo_of_our_own_message_is_not_stored_again() {
    let (app, path) = talking().await;
    app.model().says("Hello.");
    ana_says(&app, "hi").await;
    let ours = app.messages().await.into_iter().rfind(|message| message["content"] == "Hello.").unwrap();
    let ours = ours["whatsapp_message_id"].as_str().unwrap().to_owned();
    delivered(&app, echoes(json!([element(&ours, 1, text("Hello."))]))).await;
    // One whose send has no known end.
    let lost = json!({"when": {"surface": "send"}, "trigger": {"next": 1}, "do": "accept_then_drop"});
    app.emulator_call(Method::POST, "/faults", Some(lost)).await;
    app.model().says("Bye.");
    app.contact_sends(ANA, "bye").await;
    while app.received_texts(ANA).await.last().is_none_or(|text| text != "Bye.") {
        runtime::workers::step(app.app.context()).await.unwrap();
    }
    let lost = app.chat(ANA).await.pop().unwrap()["id"].as_str().unwrap().to_owned();
    delivered(&app, echoes(json!([element(&lost, 2, text("Bye."))]))).await;
    app.forward(Span::from_mins(1)).await;
    for wamid in [ours, lost] {
        let copies = stored(&app, &path, &wamid).await;
        assert_eq!(copies.len(), 1, "{copies:?}");
    }
    app.model().says("Here.");
    ana_says(&app, "there?").await;
    assert_eq!(app.received_texts(ANA).await, ["Hello.", "Bye.", "Here."], "the agent was not paused");
}

#[tokio::test]
async fn picture_from_the_phone_is_stored_and_a_reaction_pauses_nothing() {
    let (app, path) = talking().await;
    app.model().says("Hello.");
    let hi = app.contact_sends(ANA, "hi").await;
    app.run_until_idle().await;
    phone_sends(&app, json!({"type": "reaction", "reaction": {"message_id": hi, "emoji": "👍"}})).await;
    app.run_until_idle().await;
    app.model().says("Fine.");
    ana_says(&app, "how are you?").await;
    assert_eq!(app.received_texts(ANA).await, ["Hello.", "Fine."]);

    let png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";
    let file = json!({"base64": png, "mime_type": "image/png"});
    let file = app.emulator_call(Method::POST, "/inbound/media", Some(file)).await;
    let image = json!({"type": "image", "image": {"id": file["media_id"], "caption": "our window"}});
    let wamid = phone_sends(&app, image).await;
    app.run_until_idle().await;
    let message = stored(&app, &path, &wamid).await.pop().unwrap();
    assert_eq!((&message["message_type"], &message["content"]), (&json!("image"), &json!("our window")));
    let url = message["media_url"].as_str().unwrap_or_else(|| panic!("{message}"));
    let place = url.find("/media/").unwrap();
    assert_eq!(app.request(Method::GET, &url[place..]).send().await.unwrap().status(), 200);
}
