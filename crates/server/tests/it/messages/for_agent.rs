//! Requests to the model for each type of a contact's message (docs/inbound-messages.md).

use super::talking;
use gateways::whatsapp::signature;
use reqwest::Method;
use secrecy::SecretString;
use serde_json::{Value, json};
use testkit::{ANA, TestApp};

const DOCUMENT: &str = include_str!("../../../../../docs/inbound-messages.md");

/// Meta delivers this message of Ana.
async fn arrives(app: &TestApp, wamid: &str, mut message: Value) {
    message["from"] = json!(ANA.trim_start_matches('+'));
    message["id"] = json!(wamid);
    message["timestamp"] = json!(emulator::START_SECONDS.to_string());
    let metadata = json!({"display_phone_number": "15550001111", "phone_number_id": emulator::PHONE_NUMBER_ID});
    let value = json!({"messaging_product": "whatsapp", "metadata": metadata, "messages": [message]});
    let changes = json!([{"field": "messages", "value": value}]);
    let body = json!({"object": "whatsapp_business_account", "entry": [{"id": "200000000000001", "changes": changes}]});
    let body = body.to_string().into_bytes();
    let signed = signature::sign(&SecretString::from(emulator::APP_SECRET), &body);
    let request = app.request(Method::POST, "/webhooks/whatsapp").header(signature::HEADER, signed);
    assert_eq!(request.body(body).send().await.unwrap().status(), 200);
    app.run_until_idle().await;
}

fn asked(app: &TestApp) -> String {
    app.model().last_texts("user").pop().unwrap()
}

#[tokio::test]
async fn each_type_is_answered_and_the_model_reads_its_content() {
    let (app, _) = talking().await;
    let rows: Vec<&str> = DOCUMENT.lines().filter(|line| line.contains("| `{")).collect();
    assert!(rows.len() >= 25);
    for (place, row) in rows.iter().enumerate() {
        let cells: Vec<&str> = row.split(" | ").map(|cell| cell.trim_matches(['|', ' ', '`'])).collect();
        let answer = format!("answer {place}");
        app.model().says(&answer);
        arrives(&app, &format!("wamid.{place}"), serde_json::from_str(cells[1]).unwrap()).await;
        assert_eq!(asked(&app), cells[2].replace('⏎', "\n"), "{row}");
        assert_eq!(app.received_texts(ANA).await.last(), Some(&answer), "{row}");
    }
}

#[tokio::test]
async fn reply_names_the_message_that_it_replies_to() {
    let (app, _) = talking().await;
    for answer in ["We have both.\nWhich size?", "ok", "ok"] {
        app.model().says(answer);
    }
    arrives(&app, "wamid.first", json!({"type": "text", "text": {"body": "Blue or red?"}})).await;
    let messages = app.messages().await;
    let ours = messages.iter().rfind(|message| message["direction"] == "outbound").unwrap();
    let reply = |wamid: &Value| json!({"type": "text", "text": {"body": "this"}, "context": {"id": wamid}});
    arrives(&app, "wamid.second", reply(&ours["whatsapp_message_id"])).await;
    assert_eq!(asked(&app), "[in reply to your message: \"We have both. Which size?\"]\nthis");
    arrives(&app, "wamid.third", reply(&json!("wamid.first"))).await;
    assert_eq!(asked(&app), "[in reply to their own message: \"Blue or red?\"]\nthis");
}

#[tokio::test]
async fn file_has_a_link_if_the_public_address_is_known() {
    let app = TestApp::with(true, |config| config.public_url = Some("https://chat.example/".into())).await;
    let agent = app.agent(json!({"name": "Plain"})).await;
    app.activate(ANA, &agent).await;
    app.model().says("ok");
    arrives(&app, "wamid.file", json!({"type": "image", "image": {"id": "123", "caption": "broken"}})).await;
    let asked = asked(&app);
    assert!(asked.starts_with("[image https://chat.example/media/") && asked.ends_with("]\nbroken"), "{asked}");
}

#[tokio::test]
async fn reaction_starts_no_turn() {
    let (app, _) = talking().await;
    let reaction = json!({"type": "reaction", "reaction": {"message_id": "wamid.x", "emoji": "👍"}});
    arrives(&app, "wamid.reaction", reaction).await;
    assert_eq!(
        (app.model().requests().len(), app.messages().await.last().unwrap()["message_type"].as_str()),
        (0, Some("reaction"))
    );
}
