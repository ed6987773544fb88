//! Outbound messages of each type as the phone receives them.

use super::{last_on_phone, send, shown, talking};
use domain::Span;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{ANA, TestApp};

/// Sends a message and checks the phone and the API: type, node on the phone, content, data.
async fn arrives(app: &TestApp, path: &str, message: Value, node: &Value, content: &str, data: &Value) -> Value {
    let kind = message["message_type"].clone();
    let sent = send(app, path, message).await;
    let id = sent.id();
    assert_eq!((&sent.data()["message_type"], &sent.data()["status"]), (&kind, &json!("pending")));
    assert_eq!((sent.data()["content"].as_str(), &sent.data()["message_type_data"]), (Some(content), data));
    app.run_until_idle().await;
    let got = last_on_phone(app).await;
    assert_eq!((&got["type"], &got["content"]), (&kind, node), "{}", shown(app, path, &id).await);
    // Long enough for the statuses and for WhatsApp's limit per contact.
    app.forward(Span::from_secs(20)).await;
    let listed = shown(app, path, &id).await;
    assert_eq!((&listed["message_type_data"], &listed["status"]), (data, &json!("delivered")));
    assert_eq!(listed["whatsapp_message_id"], got["id"]);
    listed
}

#[tokio::test]
async fn media_by_link_and_by_id_arrive_with_caption_and_name() {
    let (app, path) = talking().await;
    let link = "https://shop.example/sofa.png";
    let message = json!({"message_type": "image", "media_url": link, "caption": "the sofa", "content": "A sofa."});
    let node = json!({"link": link, "caption": "the sofa"});
    let listed = arrives(&app, &path, message, &node, "A sofa.", &json!({"caption": "the sofa"})).await;
    assert_eq!(listed["media_url"], link);
    let message = json!({"message_type": "video", "media_url": link});
    arrives(&app, &path, message, &json!({"link": link}), "[video] https://shop.example/sofa.png", &json!({})).await;
    let file = json!({"base64": "T2dnUw==", "mime_type": "audio/ogg"});
    let id = app.emulator_call(Method::POST, "/inbound/media", Some(file)).await["media_id"].clone();
    let message = json!({"message_type": "audio", "media_id": id});
    arrives(&app, &path, message, &json!({"id": id}), "[audio]", &json!({"media_id": id})).await;
    let message = json!({"message_type": "document", "media_url": "https://shop.example/7", "filename": "bill.pdf"});
    let node = json!({"link": "https://shop.example/7", "filename": "bill.pdf"});
    arrives(&app, &path, message, &node, "[document] bill.pdf", &json!({"filename": "bill.pdf"})).await;
}

#[tokio::test]
async fn locations_and_contact_cards_arrive() {
    let (app, path) = talking().await;
    let message = json!({"message_type": "location", "latitude": -23.561_414, "longitude": -46.655_881,
        "location_name": "Shop", "location_address": "Av. Paulista 1578"});
    let node =
        json!({"latitude": -23.561_414, "longitude": -46.655_881, "name": "Shop", "address": "Av. Paulista 1578"});
    let data = json!({"latitude": -23.561_414, "longitude": -46.655_881, "location_name": "Shop",
        "location_address": "Av. Paulista 1578"});
    arrives(&app, &path, message, &node, "[location] Shop, Av. Paulista 1578", &data).await;
    let phones = json!([{"phone": "+5511987650002", "type": "WORK"}]);
    let card = json!({"name": {"formatted_name": "Front Desk", "first_name": "Front"}, "phones": phones});
    // Flat field names of old clients, and nested ones.
    for given in [json!({"formatted_name": "Front Desk", "first_name": "Front", "phones": phones}), card.clone()] {
        let message = json!({"message_type": "contacts", "contacts": [given], "content": "Our desk"});
        arrives(&app, &path, message, &json!([card]), "Our desk", &json!({"contacts": [card]})).await;
    }
}

#[tokio::test]
async fn buttons_and_lists_arrive() {
    let (app, path) = talking().await;
    let buttons = json!([{"id": "book", "title": "Book a slot"}, {"id": "no", "title": "Not now"}]);
    let message = json!({"message_type": "interactive", "interactive_type": "button", "body_text": "Shall we?",
        "header_text": "Dentist", "footer_text": "Blue Clinic", "buttons": buttons});
    let reply = |id: &str, title: &str| json!({"type": "reply", "reply": {"id": id, "title": title}});
    let node = json!({"type": "button", "body": {"text": "Shall we?"}, "header": {"type": "text", "text": "Dentist"},
        "footer": {"text": "Blue Clinic"}, "action": {"buttons": [reply("book", "Book a slot"), reply("no", "Not now")]}});
    let data = json!({"interactive_type": "button", "body_text": "Shall we?", "header_text": "Dentist",
        "footer_text": "Blue Clinic", "buttons": buttons});
    arrives(&app, &path, message, &node, "Shall we?", &data).await;
    let sections = json!([{"title": "Morning", "rows": [{"id": "m9", "title": "09:00", "description": "30 minutes"}]},
        {"title": "Evening", "rows": [{"id": "e6", "title": "18:00"}]}]);
    // The type is inferred from the fields, and the text from `content`.
    let message =
        json!({"message_type": "interactive", "content": "When?", "list_button_text": "Slots", "sections": sections});
    let node = json!({"type": "list", "body": {"text": "When?"}, "action": {"button": "Slots", "sections": sections}});
    let data =
        json!({"interactive_type": "list", "body_text": "When?", "list_button_text": "Slots", "sections": sections});
    arrives(&app, &path, message, &node, "When?", &data).await;
}

#[tokio::test]
async fn templates_arrive_with_positional_and_named_parameters_outside_the_window() {
    let (app, path) = talking().await;
    app.forward(Span::from_hours(25)).await;
    let refused = send(&app, &path, json!({"content": "anyone?"})).await;
    assert_eq!((refused.status, refused.body["code"].as_str()), (422, Some("outside_service_window")));
    let first = json!(["Marta", "17:30"]);
    for params in [first.clone(), json!({"2": "17:30", "1": "Marta"}), json!({"body": ["Marta", "17:30"]})] {
        let message = json!({"message_type": "template", "template_name": "order_update", "template_language": "pt_BR",
            "template_params": params, "content": "Your order, Marta, comes at 17:30."});
        let sent = send(&app, &path, message).await;
        let data = json!({"template_name": "order_update", "template_language": "pt_BR", "template_params": first});
        assert_eq!(sent.data()["message_type_data"], data);
        app.run_until_idle().await;
        let got = last_on_phone(&app).await;
        let text = got["content"]["rendered"].to_string();
        assert!(got["type"] == "template" && text.contains("Marta") && text.contains("17:30"), "{got}");
        assert_eq!(got["content"]["language"]["code"], "pt_BR");
        app.forward(Span::from_secs(2)).await;
    }
    let before = app.chat(ANA).await.len();
    let message = json!({"message_type": "template", "template_name": "order_update_named",
        "template_params": {"unknown": "x"}});
    let id = send(&app, &path, message).await.id();
    app.run_until_idle().await;
    let failed = shown(&app, &path, &id).await;
    assert_eq!(
        (failed["status"].as_str(), failed["metadata"]["error"]["code"].as_str()),
        (Some("failed"), Some("send_failed"))
    );
    assert_eq!(app.chat(ANA).await.len(), before, "what WhatsApp refuses is not repeated");
}

#[tokio::test]
async fn template_header_parameters_are_shown() {
    let (app, path) = talking().await;
    let template = |fields: Value| {
        let mut message = json!({"message_type": "template", "template_name": "promo"});
        message.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        message
    };
    let link = "https://shop.example/menu.pdf";
    for (fields, header, data) in [
        (
            json!({"header_type": "document", "header_params": link, "header_filename": "menu.pdf"}),
            json!({"type": "document", "document": {"link": link, "filename": "menu.pdf"}}),
            json!({"header_type": "document", "header_params": link, "header_filename": "menu.pdf"}),
        ),
        (
            json!({"header_type": "image", "header_params": "700000000000001"}),
            json!({"type": "image", "image": {"id": "700000000000001"}}),
            json!({"header_type": "image", "header_params": "700000000000001"}),
        ),
        (
            json!({"header_params": "July"}),
            json!({"type": "text", "text": "July"}),
            json!({"header_type": "text", "header_params": "July"}),
        ),
    ] {
        let sent = send(&app, &path, template(fields)).await;
        let mut expected = json!({"template_name": "promo", "template_language": "en_US"});
        expected.as_object_mut().unwrap().extend(data.as_object().unwrap().clone());
        assert_eq!(sent.data()["message_type_data"], expected);
        app.run_until_idle().await;
        let requests = app.emulator_call(Method::GET, "/requests?limit=1000", None).await;
        let sent = requests.to_string();
        assert!(sent.contains(&header.to_string()), "{header} was not sent");
    }
}

#[tokio::test]
async fn reaction_is_added_and_removed() {
    let (app, path) = talking().await;
    app.run_until_idle().await;
    let wamid = app.messages().await[0]["whatsapp_message_id"].as_str().unwrap().to_owned();
    let ours = app.messages().await[0]["id"].as_str().unwrap().to_owned();
    let on_phone = async || {
        let chat = app.chat(ANA).await;
        chat.into_iter().find(|message| message["id"] == *wamid).unwrap()["reactions"].clone()
    };
    for (target, emoji, content) in [(&ours, "👍", "👍"), (&wamid, "🎉", "🎉"), (&wamid, "", "[reaction] removed")]
    {
        let message = json!({"message_type": "reaction", "reaction_emoji": emoji, "reacted_to_message_id": target});
        let sent = send(&app, &path, message).await;
        let data = json!({"reaction_emoji": emoji, "reacted_to_message_id": wamid});
        assert_eq!((&sent.data()["message_type_data"], sent.data()["content"].as_str()), (&data, Some(content)));
        app.run_until_idle().await;
        let reactions = on_phone().await;
        let emojis: Vec<&str> =
            reactions.as_array().unwrap().iter().map(|one| one["emoji"].as_str().unwrap()).collect();
        assert_eq!(emojis, if emoji.is_empty() { vec![] } else { vec![emoji] });
    }
}

#[tokio::test]
async fn agent_sees_messages_of_every_type_sent_during_handoff() {
    let app = TestApp::start().await;
    let graph = json!({
        "nodes": [{"name": "__start__", "type": "DefaultNode"}, {"name": "talk", "type": "DefaultNode", "prompt": "Help."},
            {"name": "person", "type": "HandoffNode", "handoff": {}}, {"name": "__end__", "type": "DefaultNode"}],
        "edges": [{"from": "__start__", "to": "talk"}, {"from": "talk", "to": "person", "label": "a person is wanted"},
            {"from": "person", "to": "__end__", "label": "done"}]});
    let agent = app.agent(json!({"name": "Desk", "graph": graph})).await;
    app.activate(ANA, &agent).await;
    app.model().calls(&[("MoveToNextNode", json!({"next_node": "person", "reason": "asked"}))]);
    app.contact_sends(ANA, "a human, please").await;
    app.run_until_idle().await;
    let path = format!("/api/v1/whatsapp_conversations/{}/whatsapp_messages", super::conversation(&app).await);
    let message = json!({"message_type": "document", "media_url": "https://shop.example/7", "filename": "bill.pdf"});
    send(&app, &path, message).await.data();
    app.run_until_idle().await;
    let execution = app.execution(&agent).await["id"].as_str().unwrap().parse().unwrap();
    let history = json!(app.history(execution).await).to_string();
    assert!(history.contains("[document] bill.pdf"), "{history}");
}
