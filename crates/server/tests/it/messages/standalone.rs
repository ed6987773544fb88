//! Messages to a phone number: choice of the sender, and creation of contact and conversation.

use super::{details, send};
use domain::Span;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{ANA, TestApp};

const PATH: &str = "/api/v1/whatsapp_messages";

/// An application whose only number belongs to a customer; returns the customer and the config.
pub(super) async fn connected() -> (TestApp, String, String) {
    let app = TestApp::with(true, |config| config.sandbox = None).await;
    let customer = json!({"customer": {"name": "Clinic", "external_customer_id": "c"}});
    let customer = app.post("/api/v1/customers", customer).await.id();
    let config = number(emulator::PHONE_NUMBER_ID, Some(emulator::ACCESS_TOKEN));
    let config = app.post(&format!("/api/v1/customers/{customer}/whatsapp_configs"), config).await.id();
    (app, customer, config)
}

fn number(phone_number_id: &str, token: Option<&str>) -> Value {
    json!({"whatsapp_config": {"name": "Line", "phone_number_id": phone_number_id, "business_account_id": "200000000000001",
        "webhook_verify_token": "check-me", "access_token": token}})
}

fn hello(phone: &str) -> Value {
    json!({"phone_number": phone, "message_type": "template", "template_name": "hello_world"})
}

#[tokio::test]
async fn template_to_a_new_number_creates_contact_and_conversation() {
    let (app, customer, config) = connected().await;
    let sent = send(&app, PATH, hello("+55 11 99999-0001")).await;
    assert_eq!((sent.status, sent.data()["phone_number"].as_str()), (201, Some(ANA)));
    app.run_until_idle().await;
    assert_eq!(super::last_on_phone(&app).await["content"]["name"], "hello_world");
    let contacts = app.get("/api/v1/whatsapp_contacts").await;
    let contact = (contacts.data()[0]["wa_id"].as_str(), contacts.data()[0]["customer_id"].as_str());
    assert_eq!(contact, (Some("5511999990001"), Some(customer.as_str())));
    // After the contact replies in that conversation, free text is accepted too.
    app.contact_sends(ANA, "who is this?").await;
    let text = json!({"phone_number": ANA, "content": "The clinic."});
    send(&app, &format!("{PATH}?whatsapp_config_id={config}"), text).await.data();
    app.run_until_idle().await;
    assert_eq!(app.received_texts(ANA).await, ["The clinic."]);
    let conversations = app.get("/api/v1/whatsapp_conversations").await;
    assert_eq!(conversations.body["meta"]["total_count"], 1);
    assert_eq!(app.messages().await.len(), 3);
    assert_eq!(app.get("/api/v1/whatsapp_contacts").await.body["meta"]["total_count"], 1);
}

#[tokio::test]
async fn phone_number_may_be_in_the_query_and_is_required() {
    let (app, _, _) = connected().await;
    let mut message = hello("x");
    message.as_object_mut().unwrap().remove("phone_number");
    let sent = send(&app, &format!("{PATH}?phone_number=%2B5511999990001"), message.clone()).await;
    assert_eq!(sent.data()["phone_number"], ANA);
    let absent = send(&app, PATH, message.clone()).await;
    assert_eq!((absent.status, absent.body["message"].as_str()), (400, Some("Phone number is required")));
    let wrong = send(&app, &format!("{PATH}?phone_number=ana"), message).await;
    assert_eq!((wrong.status, details(&wrong)), (422, vec!["/phone_number invalid_phone_number".to_owned()]));
    let wrong = send(&app, PATH, hello("ana")).await;
    assert_eq!((wrong.status, details(&wrong)), (422, vec!["/message/phone_number invalid_phone_number".to_owned()]));
}

#[tokio::test]
async fn config_is_the_named_one_then_the_customers_then_the_first() {
    let (app, first, config) = connected().await;
    app.forward(Span::from_secs(1)).await;
    let other = json!({"customer": {"name": "Other", "external_customer_id": "o"}});
    let other = app.post("/api/v1/customers", other).await.id();
    let second =
        app.post(&format!("/api/v1/customers/{other}/whatsapp_configs"), number("555", Some("EAAB"))).await.id();
    app.forward(Span::from_secs(1)).await;
    let third = app.post(&format!("/api/v1/customers/{other}/whatsapp_configs"), number("556", None)).await.id();
    let from = async |query: &str| {
        let sent = send(&app, &format!("{PATH}{query}"), hello(ANA)).await;
        if sent.status != 201 {
            return sent.body["code"].as_str().unwrap().to_owned();
        }
        let id = sent.id();
        for conversation in app.get("/api/v1/whatsapp_conversations").await.data().as_array().unwrap() {
            let path =
                format!("/api/v1/whatsapp_conversations/{}/whatsapp_messages", conversation["id"].as_str().unwrap());
            if app.get(&path).await.data().as_array().unwrap().iter().any(|message| message["id"] == *id) {
                return conversation["whatsapp_config_id"].as_str().unwrap().to_owned();
            }
        }
        "nowhere".into()
    };
    assert_eq!(from("").await, config);
    assert_eq!(from(&format!("?customer_id={first}")).await, config);
    assert_eq!(from(&format!("?customer_id={other}")).await, second);
    assert_eq!(from(&format!("?customer_id={first}&whatsapp_config_id={second}")).await, second);
    assert_eq!(from(&format!("?whatsapp_config_id={third}")).await, "no_access_token");
    let absent = "0197a1b2-0000-7000-8000-000000000001";
    assert_eq!(from(&format!("?whatsapp_config_id={absent}")).await, "no_config");
    assert_eq!(from(&format!("?customer_id={absent}")).await, "validation_failed");
    // Rows of another project are not found.
    let stranger = app.app.operator().create_project("Stranger").await.unwrap();
    let (_, key) = app.app.operator().create_key(&stranger.to_string()).await.unwrap();
    let body = Some(json!({"message": hello(ANA)}));
    for query in [String::new(), format!("?whatsapp_config_id={config}")] {
        let answer = app.call_as(Some(&key), Method::POST, &format!("{PATH}{query}"), body.clone()).await;
        assert_eq!((answer.status, answer.body["message"].as_str()), (422, Some("WhatsApp configuration not found")));
    }
}

#[tokio::test]
async fn sandbox_phone_is_reached_without_a_project_number() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Plain"})).await;
    let text = json!({"phone_number": ANA, "content": "hello"});
    assert_eq!(send(&app, PATH, text.clone()).await.body["code"], "no_config");
    app.activate(ANA, &agent).await;
    send(&app, PATH, text).await.data();
    app.run_until_idle().await;
    assert_eq!(app.received_texts(ANA).await, ["hello"]);
}

#[tokio::test]
async fn contact_who_never_wrote_gets_templates_only() {
    let (app, _, config) = connected().await;
    let text = json!({"phone_number": ANA, "content": "hello"});
    let refused = send(&app, PATH, text.clone()).await;
    assert_eq!((refused.status, refused.body["code"].as_str()), (422, Some("outside_service_window")));
    assert_eq!(app.get("/api/v1/whatsapp_conversations").await.body["meta"]["total_count"], 0, "nothing was created");
    app.contact_sends(ANA, "hi").await;
    let ended = super::conversation(&app).await.parse().unwrap();
    let store = &app.app.context().store;
    let (project, now) = (app.project, app.clock.now());
    let end = store::transact!(store, "test.end", tx => store::conversations::end(tx, project, ended, now).await);
    end.unwrap();
    let sent = send(&app, &format!("{PATH}?whatsapp_config_id={config}"), text).await;
    assert_eq!(sent.status, 201, "{}", sent.body);
    assert_eq!(app.get("/api/v1/whatsapp_conversations").await.body["meta"]["total_count"], 2);
}

#[tokio::test]
async fn active_execution_blocks_api_messages() {
    let (app, _, config) = connected().await;
    let agent = app.agent(json!({"name": "Plain"})).await;
    let link = json!({"agent_whatsapp_config": {"whatsapp_config_id": config}});
    app.post(&format!("/api/v1/agents/{agent}/agent_whatsapp_configs"), link).await.data();
    app.model().says("Hello.");
    app.contact_sends(ANA, "hi").await;
    app.run_until_idle().await;
    let refused = send(&app, PATH, hello(ANA)).await;
    assert_eq!((refused.status, refused.body["code"].as_str()), (409, Some("agent_active")));
}
