//! Changes of replies on the shop's phone, names of its address book, and unreadable webhooks of both
//! (docs/inbound-messages.md).

use super::{
    phone_replies::{ana_says, delivered, echoes, element, on_own_number, phone_says, phone_sends, stored, text},
    talking,
};
use domain::Span;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{ANA, TestApp};

/// A text that must not be shown after its deletion.
const CANARY: &str = "the secret canary 4711";

async fn saves(app: &TestApp, contacts: &[(&str, &str, Value)]) {
    let entry = |(action, number, name): &(&str, &str, Value)| {
        let contact = json!({"full_name": name, "phone_number": number});
        json!({"type": "contact", "contact": contact, "action": action, "metadata": {"timestamp": "1790000001"}})
    };
    let list: Vec<Value> = contacts.iter().map(entry).collect();
    let metadata = json!({"display_phone_number": "15550001111", "phone_number_id": emulator::PHONE_NUMBER_ID});
    let value = json!({"messaging_product": "whatsapp", "metadata": metadata, "state_sync": list});
    let raw = json!({"field": "smb_app_state_sync", "value": value});
    app.emulator_call(Method::POST, "/webhooks/raw", Some(raw)).await;
    app.run_until_idle().await;
}

#[tokio::test]
async fn edit_and_deletion_of_a_reply_change_it_and_start_no_turn() {
    let (app, path) = talking().await;
    let first = phone_says(&app, "It costs 1").await;
    let second = phone_says(&app, CANARY).await;
    phone_sends(&app, json!({"edit": first, "text": "It costs 10"})).await;
    phone_sends(&app, json!({"revoke": second})).await;
    // Changes before their message, a change by the contact, and one of our own message.
    let early = json!({"type": "edit", "edit": {"original_message_id": "w9", "message": text("now")}});
    let revoke = |target: &str| json!({"type": "revoke", "revoke": {"original_message_id": target}});
    let elements = json!([element("e9", 9, early), element("r8", 9, revoke("w8"))]);
    delivered(&app, echoes(elements)).await;
    delivered(&app, echoes(json!([element("w9", 8, text("then")), element("w8", 8, text(CANARY))]))).await;
    app.run_until_idle().await;
    let edited = stored(&app, &path, &first).await.pop().unwrap();
    assert_eq!(
        (&edited["content"], &edited["earlier_texts"][0]["content"]),
        (&json!("It costs 10"), &json!("It costs 1"))
    );
    let deleted = stored(&app, &path, &second).await.pop().unwrap();
    assert_eq!((&deleted["content"], deleted["deleted_at"].is_string()), (&json!(""), true));
    assert_eq!(stored(&app, &path, "w9").await[0]["content"], "now");
    assert_eq!(stored(&app, &path, "w8").await[0]["content"], "");
    assert_eq!(app.model().requests().len(), 0);

    app.forward(Span::from_mins(61)).await;
    app.model().says("Ten.");
    ana_says(&app, "How much?").await;
    let body = app.model().bodies().pop().unwrap();
    assert!(body.contains("It costs 10") && !body.contains("canary") && !body.contains("It costs 1\""), "{body}");

    // After the agent has read it.
    let third = phone_says(&app, CANARY).await;
    app.run_until_idle().await;
    phone_sends(&app, json!({"edit": third, "text": "the other canary 4711"})).await;
    app.run_until_idle().await;
    phone_sends(&app, json!({"revoke": third})).await;
    app.forward(Span::from_mins(61)).await;
    assert_eq!(app.model().requests().len(), 1);
    app.model().says("Yes.");
    ana_says(&app, "And now?").await;
    let body = app.model().bodies().pop().unwrap();
    assert!(!body.contains("canary"), "{body}");
}

#[tokio::test]
async fn contact_and_phone_change_only_their_own_messages() {
    let (app, path) = talking().await;
    app.model().says("Hello.");
    ana_says(&app, "hi").await;
    let of_agent = app.messages().await.into_iter().rfind(|message| message["content"] == "Hello.").unwrap();
    let of_agent = of_agent["whatsapp_message_id"].as_str().unwrap().to_owned();
    let wamid = phone_says(&app, "from the phone").await;
    let revoke = |target: &str| json!({"type": "revoke", "revoke": {"original_message_id": target}});
    delivered(&app, echoes(json!([element("r1", 5, revoke(&of_agent))]))).await;
    let by_contact = json!({"from": ANA.trim_start_matches('+'), "id": "r2", "timestamp": "1790000300", "type": "revoke",
        "revoke": {"original_message_id": wamid}});
    let metadata = json!({"display_phone_number": "15550001111", "phone_number_id": emulator::PHONE_NUMBER_ID});
    let value = json!({"messaging_product": "whatsapp", "metadata": metadata, "messages": [by_contact]});
    let changes = json!([{"field": "messages", "value": value}]);
    delivered(&app, json!({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": changes}]})).await;
    app.run_until_idle().await;
    assert_eq!(stored(&app, &path, &of_agent).await[0]["content"], "Hello.");
    assert_eq!(stored(&app, &path, &wamid).await[0]["content"], "from the phone");
}

#[tokio::test]
async fn name_in_the_address_book_is_shown_until_the_contact_tells_its_own() {
    let (app, _) = on_own_number(json!({})).await;
    let ana = ANA.trim_start_matches('+');
    let odd = [("add", "no number", json!("X")), ("remove", ana, Value::Null), ("add", ana, json!(7))];
    saves(&app, &odd).await;
    saves(&app, &[("add", ana, json!("Ana, curtains"))]).await;
    assert_eq!(app.get("/api/v1/whatsapp_contacts").await.data(), &json!([]), "no message was sent to it");
    phone_says(&app, "Your curtains are here").await;
    app.run_until_idle().await;
    let shown = app.get("/api/v1/inbox").await.data()[0]["contact"]["name"].clone();
    assert_eq!(shown, "Ana, curtains");
    ana_says(&app, "Thank you").await;
    let contact = app.get("/api/v1/whatsapp_contacts").await.data()[0].clone();
    let own = contact["profile_name"].as_str().unwrap().to_owned();
    assert_ne!(own, "Ana, curtains");
    saves(&app, &[("add", ana, json!("Ana, sofas"))]).await;
    assert_eq!(app.get("/api/v1/whatsapp_contacts").await.data()[0]["profile_name"], json!(own));
    assert_eq!(app.get("/api/v1/inbox").await.data()[0]["contact"]["name"], json!(own));
}

#[tokio::test]
async fn unreadable_echo_is_kept_and_hides_no_other() {
    let (app, path) = talking().await;
    let mut lost = element("bad", 1, text("x"));
    lost["to"] = json!("not a number");
    let long = element(&"w".repeat(3_000), 1, text("x"));
    let odd = element("odd", 1, json!({"type": "hologram", "hologram": {"deep": [null]}}));
    let good = element("good", 1, text("good"));
    delivered(&app, echoes(json!([null, 7, {"id": "no recipient"}, lost, long, odd, good]))).await;
    delivered(&app, echoes(json!({"no": "list"}))).await;
    app.run_until_idle().await;
    assert_eq!(stored(&app, &path, "good").await[0]["content"], "good");
    assert_eq!(stored(&app, &path, "odd").await.len(), 1);
    assert_eq!(stored(&app, &path, "bad").await.len(), 0);
    assert_eq!(app.get("/api/v1/whatsapp_conversations").await.data().as_array().unwrap().len(), 1);
}
