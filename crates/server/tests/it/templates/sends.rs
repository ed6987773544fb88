//! Template sends: validated, stored and sent once.

use super::*;
use domain::Span;
use futures::future::join_all;
use testkit::{ANA, OWN_NUMBER_ID};

async fn send(app: &TestApp, id: &str, template: Value) -> Answer {
    let mut body = json!({"template": {"phone_number": ANA}});
    body["template"].as_object_mut().unwrap().extend(template.as_object().unwrap().clone());
    app.post(&path(id, "/send_template"), body).await
}

/// Messages on Ana's phone from the project's own number.
async fn shown(app: &TestApp) -> Vec<Value> {
    app.chat_with(OWN_NUMBER_ID, ANA).await
}

#[tokio::test]
async fn template_reaches_a_phone_without_a_prior_conversation() {
    let (app, config) = connected().await;
    sync(&app).await;
    let id = synced(&app, "order_update", "pt_BR").await;
    let sent = send(&app, &id, json!({"template_parameters": ["Ana", "A-17"]})).await;
    assert_eq!(sent.status, 200, "{}", sent.body);
    let body = &sent.body;
    assert_eq!((&body["status"], &body["message"]), (&json!("success"), &json!("Template message sent successfully")));
    assert_eq!((&body["template_id"], &body["template_name"]), (&json!(id), &json!("order_update")));
    let chat = shown(&app).await;
    assert_eq!(
        (chat.len(), &chat[0]["content"]["rendered"]["body"]),
        (1, &json!("Oi Ana, o pedido A-17 saiu para entrega hoje."))
    );
    assert_eq!(body["response"]["messages"][0]["id"], chat[0]["id"]);
    assert_eq!(body["response"]["messaging_product"], "whatsapp");
    app.forward(Span::from_secs(2)).await;
    let messages = app.messages().await;
    assert_eq!((messages.len(), &messages[0]["message_type"]), (1, &json!("template")));
    assert_eq!(messages[0]["content"], "Oi Ana, o pedido A-17 saiu para entrega hoje.");
    assert_eq!((&messages[0]["status"], &messages[0]["direction"]), (&json!("delivered"), &json!("outbound")));
    let conversation = app.get("/api/v1/whatsapp_conversations").await.data()[0].clone();
    assert_eq!((&conversation["phone_number"], &conversation["whatsapp_config_id"]), (&json!(ANA), &json!(config)));
    // The reply joins the same conversation, and so does the next template, even outside the
    // window.
    app.emulator_call(
        Method::POST,
        "/inbound",
        Some(json!({"phone_number_id": OWN_NUMBER_ID, "from": ANA, "text": "Obrigada"})),
    )
    .await;
    app.forward(Span::from_hours(25)).await;
    assert_eq!(send(&app, &id, json!({"template_parameters": ["Ana", "A-18"]})).await.status, 200);
    assert_eq!(app.get("/api/v1/whatsapp_conversations").await.body["meta"]["total_count"], 1);
    assert_eq!(app.messages().await.len(), 3);
}

#[tokio::test]
async fn named_header_button_and_payload_parameters_are_filled_in() {
    let (app, _) = connected().await;
    sync(&app).await;
    let named = synced(&app, "order_update_named", "pt_BR").await;
    let parameters = json!({"order_id": "A-17", "customer_name": "Ana"});
    assert_eq!(send(&app, &named, json!({"template_parameters": parameters})).await.status, 200);
    let promo = synced(&app, "promo_image", "pt_BR").await;
    let full = json!({"template_parameters": ["Ana"], "header_type": "image", "header_params": "https://files.example/a.png",
        "button_url_params": {"0": "verao"}, "button_quick_reply_payloads": {"1": "stop-7"}});
    let sent = send(&app, &promo, full).await;
    assert_eq!(sent.status, 200, "{}", sent.body);
    let chat = shown(&app).await;
    assert_eq!(chat[0]["content"]["rendered"]["body"], "Oi Ana, o pedido A-17 saiu para entrega hoje.");
    assert_eq!(chat[1]["content"]["rendered"]["header"]["image"]["link"], "https://files.example/a.png");
    assert_eq!(chat[1]["content"]["rendered"]["buttons"][0]["url"], "https://example.com/verao");
    assert_eq!(chat[1]["content"]["rendered"]["buttons"][1]["payload"], "stop-7");
}

#[tokio::test]
async fn invalid_template_sends_are_refused_and_not_stored() {
    let (app, _) = connected().await;
    sync(&app).await;
    let order = synced(&app, "order_update", "pt_BR").await;
    let few = send(&app, &order, json!({"template_parameters": ["Ana"]})).await;
    assert_eq!((few.status, detail(&few)), (422, ("/template/template_parameters", "wrong_parameter_count")));
    for field in ["error", "message"] {
        assert_eq!(few.body[field], "Template requires 2 parameters, but 1 were provided", "{field}");
    }
    let named = synced(&app, "order_update_named", "pt_BR").await;
    let promo = synced(&app, "promo_image", "pt_BR").await;
    let hello = synced(&app, "hello_world", "en_US").await;
    let absent = "0197a1b2-0000-7000-8000-000000000001";
    for (id, template, expected) in [
        (&order, json!({}), "/template/template_parameters"),
        (&order, json!({"template_parameters": ["Ana", "a\nb"]}), "/template/template_parameters/1"),
        (&order, json!({"template_parameters": vec!["x"; 61]}), "/template/template_parameters"),
        (&named, json!({"template_parameters": ["Ana", "A-17"]}), "/template/template_parameters"),
        (
            &named,
            json!({"template_parameters": {"order_id": "1", "name": "Ana"}}),
            "/template/template_parameters/customer_name",
        ),
        (&promo, json!({"template_parameters": ["Ana"], "button_url_params": {"0": "x"}}), "/template/header_params"),
        (&promo, json!({"template_parameters": ["Ana"], "header_type": "video"}), "/template/header_type"),
        (
            &promo,
            json!({"template_parameters": ["Ana"], "header_params": "https://a.example/a.png"}),
            "/template/button_url_params/0",
        ),
        (&hello, json!({"button_quick_reply_payloads": {"0": "x"}}), "/template/button_quick_reply_payloads/0"),
        (&hello, json!({"phone_number": "12"}), "/template/phone_number"),
        (&hello, json!({"phone_number": null}), "/template/phone_number"),
        (&hello, json!({"whatsapp_config_id": absent}), "/template/whatsapp_config_id"),
        (&hello, json!({"customer_id": absent}), "/template/customer_id"),
    ] {
        let refused = send(&app, id, template.clone()).await;
        assert_eq!((refused.status, detail(&refused).0), (422, expected), "{template}: {}", refused.body);
    }
    assert_eq!(app.get("/api/v1/whatsapp_conversations").await.data(), &json!([]));
    assert_eq!(app.get("/api/v1/whatsapp_contacts").await.data(), &json!([]));
}

#[tokio::test]
async fn only_approved_templates_are_sent() {
    let (app, _) = connected().await;
    sync(&app).await;
    review_manually(&app).await;
    let submitted = draft(&app, "visit_reminder").await;
    submit(&app, &submitted).await;
    let removed = draft(&app, "old_one").await;
    app.call(Method::DELETE, &path(&removed, ""), None).await.data();
    let paused = synced(&app, "promo_paused", "pt_BR").await;
    let rejected = synced(&app, "free_money", "en_US").await;
    let own = draft(&app, "another").await;
    for id in [submitted, removed, paused, rejected, own] {
        let refused = send(&app, &id, json!({"template_parameters": ["Marta", "17:30"]})).await;
        assert_eq!(refusal(&refused), (422, "template_not_approved"), "{}", refused.body);
    }
    assert!(shown(&app).await.is_empty());
}

#[tokio::test]
async fn sender_is_the_named_config_then_the_customers_then_the_first() {
    let (app, config) = connected().await;
    sync(&app).await;
    let hello = synced(&app, "hello_world", "en_US").await;
    let customer = json!({"customer": {"name": "Other", "external_customer_id": "other"}});
    let customer = app.post("/api/v1/customers", customer).await.id();
    let configs = format!("/api/v1/customers/{customer}/whatsapp_configs");
    let nothing = send(&app, &hello, json!({"customer_id": customer})).await;
    assert_eq!(refusal(&nothing), (422, "no_production_config"), "the customer has no number");
    let add = async |number: &str, waba: &str, token: Option<&str>| {
        let config = json!({"name": "Line", "phone_number_id": number, "business_account_id": waba, "webhook_verify_token": "x",
            "access_token": token});
        app.post(&configs, json!({"whatsapp_config": config})).await.id()
    };
    let elsewhere = add("777", "2002", Some("EAA")).await;
    let other = send(&app, &hello, json!({"whatsapp_config_id": elsewhere})).await;
    assert_eq!((other.status, detail(&other)), (422, ("/template/whatsapp_config_id", "different_account")));
    let silent = add("778", emulator::WABA_ID, None).await;
    assert_eq!(
        refusal(&send(&app, &hello, json!({"whatsapp_config_id": silent})).await),
        (422, "no_production_config")
    );
    for template in [json!({}), json!({"whatsapp_config_id": config})] {
        assert_eq!(send(&app, &hello, template).await.status, 200);
    }
    assert_eq!(shown(&app).await.len(), 2);
    assert_eq!(refusal(&send(&app, &hello, json!({"customer_id": customer})).await), (422, "no_production_config"));
}

#[tokio::test]
async fn refusal_by_whatsapp_is_returned_and_stored() {
    let (app, _) = connected().await;
    sync(&app).await;
    let hello = synced(&app, "hello_world", "en_US").await;
    fault(&app, "send", json!({"error": {"code": 132_015}})).await;
    let refused = send(&app, &hello, json!({})).await;
    assert_eq!(refusal(&refused), (500, "send_failed"), "{}", refused.body);
    assert!(
        refused.body["error"].as_str().unwrap().starts_with("Failed to send template message: "),
        "{}",
        refused.body
    );
    let message = app.messages().await.remove(0);
    assert_eq!((&message["status"], &message["content"].is_string()), (&json!("failed"), &true));
    assert!(shown(&app).await.is_empty());
}

#[tokio::test]
async fn throttled_template_send_is_accepted_and_sent_later() {
    let (app, _) = connected().await;
    sync(&app).await;
    let hello = synced(&app, "hello_world", "en_US").await;
    fault(&app, "send", json!({"error": "throughput"})).await;
    let waiting = send(&app, &hello, json!({})).await;
    assert_eq!(waiting.body["response"]["messages"], json!([{"message_status": "queued"}]), "{}", waiting.body);
    assert!(shown(&app).await.is_empty());
    app.forward(Span::from_secs(5)).await;
    assert_eq!(shown(&app).await.len(), 1);
}

#[tokio::test]
async fn template_with_lost_response_is_not_resent() {
    let (app, _) = connected().await;
    sync(&app).await;
    let hello = synced(&app, "hello_world", "en_US").await;
    // It may have been sent.
    fault(&app, "send", json!("drop")).await;
    assert_eq!(send(&app, &hello, json!({})).await.status, 200);
    for wait in [Span::from_secs(40), Span::from_mins(20)] {
        app.forward(wait).await;
        assert!(shown(&app).await.is_empty(), "it is billed: a person decides");
    }
    fault(&app, "send", json!("accept_then_drop")).await;
    assert_eq!(send(&app, &hello, json!({})).await.status, 200);
    app.forward(Span::from_secs(2)).await;
    assert_eq!(
        (shown(&app).await.len(), &app.messages().await[1]["status"]),
        (1, &json!("delivered")),
        "its status settled it"
    );
}

#[tokio::test]
async fn same_idempotency_key_sends_once_and_gets_one_response() {
    let (app, _) = connected().await;
    sync(&app).await;
    let hello = synced(&app, "hello_world", "en_US").await;
    let headers = [("idempotency-key", "notice-1"), ("content-type", "application/json")];
    let body = json!({"template": {"phone_number": ANA}}).to_string();
    let call = async |body: &str| {
        app.call_raw(&headers, Method::POST, &path(&hello, "/send_template"), Some(body.into())).await
    };
    let answers = join_all((0..50).map(|_| call(&body))).await;
    assert!(answers.iter().all(|answer| answer.status == 200 && answer.body == answers[0].body), "{answers:?}");
    assert_eq!(answers.iter().filter(|answer| !answer.headers.contains_key("idempotency-replayed")).count(), 1);
    assert_eq!((shown(&app).await.len(), app.messages().await.len()), (1, 1));
    let other = call(&json!({"template": {"phone_number": "+15557770002"}}).to_string()).await;
    assert_eq!(refusal(&other), (422, "idempotency_mismatch"));
    assert_eq!(call(&json!({"template": {"phone_number": ANA, "x": 1}}).to_string()).await.status, 422);
}

#[tokio::test]
async fn send_interrupted_by_a_crash_is_finished_by_the_next_process() {
    let (app, _) = connected().await;
    sync(&app).await;
    let hello = synced(&app, "hello_world", "en_US").await;
    // WhatsApp is slow, the client gives up, then the process dies.
    fault(&app, "send", json!({"error": "throughput"})).await;
    send(&app, &hello, json!({})).await;
    let app = app.crash_and_restart().await;
    app.forward(Span::from_secs(5)).await;
    assert_eq!(shown(&app).await.len(), 1);
    assert_eq!(app.messages().await.len(), 1);
}

#[tokio::test]
async fn number_in_another_spelling_reaches_the_known_contact() {
    let (app, _) = connected().await;
    sync(&app).await;
    let hello = synced(&app, "hello_world", "en_US").await;
    let inbound = json!({"phone_number_id": OWN_NUMBER_ID, "from": ANA, "text": "Oi"});
    app.emulator_call(Method::POST, "/inbound", Some(inbound)).await;
    app.run_until_idle().await;
    // Brazilian spelling from before mobile numbers got a ninth digit.
    let sent = send(&app, &hello, json!({"phone_number": "+55 11 9999-0001"})).await;
    assert_eq!(sent.status, 200, "{}", sent.body);
    assert_eq!(shown(&app).await.len(), 2);
    assert_eq!(app.get("/api/v1/whatsapp_contacts").await.body["meta"]["total_count"], 1);
    let conversations = app.get("/api/v1/whatsapp_conversations").await;
    assert_eq!(conversations.body["meta"]["total_count"], 1);
    let contact = (&conversations.data()[0]["phone_number"], &conversations.data()[0]["contact_name"]);
    assert_eq!(contact, (&json!(ANA), &json!("Ana Souza")), "as WhatsApp wrote it");
}

#[tokio::test]
async fn outbound_conversation_has_its_contacts_name() {
    let (app, _) = connected().await;
    sync(&app).await;
    let contact = json!({"contact": {"wa_id": "5511999990002", "profile_name": "Bruno at work"}});
    app.post("/api/v1/whatsapp_contacts", contact).await.data();
    let hello = synced(&app, "hello_world", "en_US").await;
    assert_eq!(send(&app, &hello, json!({"phone_number": "+5511999990002"})).await.status, 200);
    assert_eq!(app.get("/api/v1/whatsapp_conversations").await.data()[0]["contact_name"], "Bruno at work");
}

#[tokio::test]
async fn agent_history_includes_template_sends() {
    let (app, config) = connected().await;
    sync(&app).await;
    let agent = app.agent(json!({"name": "Desk"})).await;
    let link = json!({"agent_whatsapp_config": {"whatsapp_config_id": config}});
    app.post(&format!("/api/v1/agents/{agent}/agent_whatsapp_configs"), link).await.data();
    let contact_sends = async |text: &str| {
        let inbound = json!({"phone_number_id": OWN_NUMBER_ID, "from": ANA, "text": text});
        app.emulator_call(Method::POST, "/inbound", Some(inbound)).await;
    };
    app.model().says("Hello Ana.");
    contact_sends("hi").await;
    app.run_until_idle().await;
    let order = synced(&app, "order_update", "en_US").await;
    let sent = send(&app, &order, json!({"template_parameters": ["Ana", "A-17"]})).await;
    assert_eq!(sent.status, 200, "{}", sent.body);
    app.run_until_idle().await;
    app.model().says("It comes today.");
    contact_sends("when?").await;
    app.run_until_idle().await;
    let asked = app.model().last_texts("assistant").join("\n");
    assert!(asked.contains("Hi Ana, your order A-17 is out for delivery today."), "{asked}");
}
