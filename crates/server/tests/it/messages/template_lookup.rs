//! A message with a nonexistent template is refused before anything is stored.

use super::{send, standalone::connected};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{ANA, Answer, TestApp};

const PATH: &str = "/api/v1/whatsapp_messages";

fn named(name: &str, language: &str) -> Value {
    json!({"phone_number": ANA, "message_type": "template", "template_name": name, "template_language": language})
}

/// Template lookups received by Meta.
async fn asked(app: &TestApp) -> usize {
    let log = app.emulator_call(Method::GET, "/requests?limit=1000&path=/message_templates", None).await;
    log["requests"].as_array().unwrap().len()
}

fn refused(answer: &Answer) {
    let error = (answer.status, answer.body["code"].as_str(), answer.body["error"].as_str());
    assert_eq!(error, (404, Some("not_found"), Some("Template not found")));
}

#[tokio::test]
async fn template_unknown_here_and_at_meta_is_not_found_and_nothing_is_stored() {
    let (app, _, config) = connected().await;
    for query in [String::new(), format!("?whatsapp_config_id={config}")] {
        refused(&send(&app, &format!("{PATH}{query}"), named("no_such_thing", "en_US")).await);
    }
    // The name exists in other languages only.
    refused(&send(&app, PATH, named("hello_world", "fr")).await);
    assert_eq!(asked(&app).await, 3, "one request to Meta per attempt");
    for list in ["whatsapp_conversations", "whatsapp_contacts", "whatsapp_templates"] {
        assert_eq!(app.get(&format!("/api/v1/{list}")).await.body["meta"]["total_count"], 0, "{list}");
    }
    app.contact_sends(ANA, "hello").await;
    let conversation = app.conversation().await;
    let path = format!("/api/v1/whatsapp_conversations/{conversation}/whatsapp_messages");
    refused(&send(&app, &path, named("no_such_thing", "en_US")).await);
    app.run_until_idle().await;
    assert_eq!(app.messages().await.len(), 1, "Ana's message");
}

#[tokio::test]
async fn template_found_at_meta_is_sent_and_stored() {
    let (app, _, _) = connected().await;
    send(&app, PATH, named("hello_world", "en_US")).await.data();
    send(&app, PATH, named("hello_world", "en_US")).await.data();
    assert_eq!(asked(&app).await, 1);
    let list = app.get("/api/v1/whatsapp_templates").await;
    let known = (&list.data()[0]["name"], &list.data()[0]["language_code"], &list.body["meta"]["total_count"]);
    assert_eq!(known, (&json!("hello_world"), &json!("en_US"), &json!(1)));
    app.run_until_idle().await;
    assert_eq!(super::last_on_phone(&app).await["content"]["name"], "hello_world");
}

#[tokio::test]
async fn stored_template_text_comes_from_the_template_not_the_client() {
    let (app, _, _) = connected().await;
    let mut message = named("order_update", "en_US");
    message["template_params"] = json!(["Ana", "A-17"]);
    let text = "Hi Ana, your order A-17 is out for delivery today.";
    assert_eq!(send(&app, PATH, message.clone()).await.data()["content"], text, "Meta received the lookup");
    message["content"] = json!("x");
    assert_eq!(send(&app, PATH, message.clone()).await.data()["content"], text);
    // WhatsApp would refuse it, long after the answer.
    message["template_params"] = json!(["Ana"]);
    let refused = app.post(PATH, json!({ "message": message })).await;
    assert_eq!((refused.status, &refused.body["details"][0]["path"]), (422, &json!("/message/template_params")));
    let mut by_name = named("order_update_named", "pt_BR");
    by_name["template_params"] = json!({"customer_name": "Ana", "order_id": "A-17"});
    let shown = send(&app, PATH, by_name).await;
    assert_eq!(shown.data()["content"], "Oi Ana, o pedido A-17 saiu para entrega hoje.");
}

#[tokio::test]
async fn message_is_accepted_when_meta_cannot_be_asked() {
    let (app, _, _) = connected().await;
    for (name, state) in [("hello_world", "delivered"), ("no_such_thing", "failed")] {
        let rule = json!({"when": {"surface": "templates"}, "trigger": {"next": 1}, "do": {"error": "server_500"}});
        app.emulator_call(Method::POST, "/faults", Some(rule)).await;
        let sent = send(&app, PATH, named(name, "en_US")).await.id();
        app.run_until_idle().await;
        app.forward(domain::Span::from_secs(10)).await;
        let message = app.messages().await.into_iter().find(|message| message["id"] == sent).unwrap();
        assert_eq!(message["status"], state, "{name}");
    }
}

#[tokio::test]
async fn repeated_send_gets_its_first_response_after_template_deletion() {
    let (app, _, _) = connected().await;
    let body = json!({"message": named("hello_world", "en_US")}).to_string();
    let headers = [("idempotency-key", "k"), ("content-type", "application/json")];
    let first = app.call_raw(&headers, Method::POST, PATH, Some(body.clone())).await;
    let list = app.get("/api/v1/whatsapp_templates").await;
    let template = format!("/api/v1/whatsapp_templates/{}", list.data()[0]["id"].as_str().unwrap());
    assert_eq!(app.call(Method::DELETE, &template, None).await.status, 200);
    let again = app.call_raw(&headers, Method::POST, PATH, Some(body)).await;
    assert_eq!((again.status, again.id()), (201, first.id()));
    refused(&send(&app, PATH, named("hello_world", "en_US")).await);
}
