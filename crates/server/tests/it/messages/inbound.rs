//! Inbound messages as the API shows them.

use super::{send, talking};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{ANA, TestApp};

/// Ana sends this; returns the message as the API shows it.
async fn received(app: &TestApp, kind: &str, node: Value) -> Value {
    let body = json!({"from": ANA, "type": kind, kind: node});
    let sent = app.emulator_call(Method::POST, "/inbound", Some(body)).await;
    let messages = app.messages().await;
    messages.into_iter().find(|message| message["whatsapp_message_id"] == sent["message_id"]).unwrap()
}

#[tokio::test]
async fn every_inbound_type_is_shown_with_its_content() {
    let (app, _) = talking().await;
    let file = async |mime: &str, name: Value| {
        let file = json!({"base64": "AAAA", "mime_type": mime, "filename": name});
        app.emulator_call(Method::POST, "/inbound/media", Some(file)).await["media_id"].clone()
    };
    let (picture, sound) = (file("image/jpeg", Value::Null).await, file("audio/ogg; codecs=opus", Value::Null).await);
    let (paper, sticker) = (file("application/pdf", json!("id.pdf")).await, file("image/webp", Value::Null).await);
    let card = json!({"name": {"formatted_name": "Bo Li", "first_name": "Bo"},
        "phones": [{"phone": "+55 11 98765-0002", "type": "CELL", "wa_id": "5511987650002"}],
        "emails": [{"email": "bo@clinic.example"}], "org": {"company": "Clinic"}});
    for (kind, node, shown_as, content, data) in [
        ("text", json!({"body": "hello"}), "text", "hello", json!({"text": "hello"})),
        (
            "image",
            json!({"id": picture, "caption": "broken"}),
            "image",
            "broken",
            json!({"media_id": picture, "mime_type": "image/jpeg", "caption": "broken"}),
        ),
        (
            "audio",
            json!({"id": sound}),
            "audio",
            "[audio]",
            json!({"media_id": sound, "mime_type": "audio/ogg; codecs=opus"}),
        ),
        (
            "document",
            json!({"id": paper}),
            "document",
            "[document] id.pdf",
            json!({"media_id": paper, "mime_type": "application/pdf", "filename": "id.pdf"}),
        ),
        (
            "sticker",
            json!({"id": sticker}),
            "image",
            "[sticker]",
            json!({"media_id": sticker, "mime_type": "image/webp"}),
        ),
        (
            "location",
            json!({"latitude": 1.5, "longitude": -2.5, "name": "Home"}),
            "location",
            "[location] Home",
            json!({"latitude": 1.5, "longitude": -2.5, "location_name": "Home"}),
        ),
        ("contacts", json!([card]), "contacts", "[contacts] Bo Li", json!({"contacts": [card]})),
        ("order", json!({"catalog_id": "1", "product_items": []}), "text", "[order]", json!({})),
    ] {
        let message = received(&app, kind, node).await;
        let shown = (message["message_type"].as_str(), message["content"].as_str(), &message["message_type_data"]);
        assert_eq!(shown, (Some(shown_as), Some(content), &data), "{kind}");
        assert_eq!((message["direction"].as_str(), message["status"].as_str()), (Some("inbound"), Some("received")));
        let own_word = (shown_as != kind).then_some(kind);
        assert_eq!(message["metadata"]["whatsapp_type"].as_str(), own_word);
    }
}

#[tokio::test]
async fn button_list_and_template_replies_show_the_choice() {
    let (app, path) = talking().await;
    let tap = async |message: Value, choice: &str| {
        let sent = send(&app, &path, message).await.id();
        app.run_until_idle().await;
        let wamid = super::shown(&app, &path, &sent).await["whatsapp_message_id"].clone();
        let body = json!({"from": ANA, "reply_to": wamid, "tap": choice});
        let tapped = app.emulator_call(Method::POST, "/inbound", Some(body)).await;
        let messages = app.messages().await;
        messages.into_iter().find(|message| message["whatsapp_message_id"] == tapped["message_id"]).unwrap()
    };
    let buttons =
        json!({"message_type": "interactive", "body_text": "Shall we?", "buttons": [{"id": "yes", "title": "Yes"}]});
    let message = tap(buttons, "yes").await;
    let data = json!({"interactive_type": "button", "reply_option_id": "yes", "reply_option_title": "Yes"});
    assert_eq!((&message["message_type_data"], message["content"].as_str()), (&data, Some("Yes")));
    let list = json!({"message_type": "interactive", "body_text": "When?", "list_button_text": "Slots",
        "sections": [{"rows": [{"id": "m9", "title": "09:00"}]}]});
    // The previous tap started a turn; this one follows a handoff.
    app.model().calls(&[("WaitForUser", json!({}))]);
    let stop = async || {
        app.run_until_idle().await;
        let agents = app.get("/api/v1/agents").await.data()[0]["id"].as_str().unwrap().to_owned();
        let execution = app.execution(&agents).await["id"].as_str().unwrap().to_owned();
        let body = json!({"agent_execution": {"status": "ended", "reason": "taken over"}});
        app.call(Method::PUT, &format!("/api/v1/agents/{agents}/executions/{execution}"), Some(body)).await.data();
        app.run_until_idle().await;
    };
    stop().await;
    let message = tap(list, "m9").await;
    let data = json!({"interactive_type": "list", "reply_option_id": "m9", "reply_option_title": "09:00"});
    assert_eq!((&message["message_type_data"], message["content"].as_str()), (&data, Some("09:00")));
    let node = json!({"payload": "STOP", "text": "Stop these"});
    let body = json!({"from": ANA, "type": "button", "button": node, "force": true});
    let tapped = app.emulator_call(Method::POST, "/inbound", Some(body)).await;
    let message =
        app.messages().await.into_iter().find(|one| one["whatsapp_message_id"] == tapped["message_id"]).unwrap();
    let data = json!({"interactive_type": "button", "reply_option_id": "STOP", "reply_option_title": "Stop these"});
    assert_eq!((message["message_type"].as_str(), &message["message_type_data"]), (Some("interactive"), &data));
}

#[tokio::test]
async fn inbound_reaction_shows_emoji_and_message() {
    let (app, _) = talking().await;
    app.run_until_idle().await;
    let welcome = app.messages().await.into_iter().find(|message| message["direction"] == "outbound").unwrap();
    let wamid = welcome["whatsapp_message_id"].clone();
    for (emoji, content) in [(Some("❤️"), "❤️"), (None, "[reaction] removed")] {
        let body = json!({"message_id": wamid, "emoji": emoji});
        app.emulator_call(Method::POST, "/users/ana/react", Some(body)).await;
        let message = app.messages().await.pop().unwrap();
        let data = json!({"reaction_emoji": emoji.unwrap_or_default(), "reacted_to_message_id": wamid});
        assert_eq!((message["message_type"].as_str(), &message["message_type_data"]), (Some("reaction"), &data));
        assert_eq!(message["content"], content);
    }
}
