//! Template sends by agents use the stored template if it exists.

use super::*;
use domain::Span;
use testkit::{ANA, OWN_NUMBER_ID};

/// An agent on the project's own number with one template to send.
async fn with_template(app: &TestApp, config: &str, template: Value) -> String {
    let graph = json!({
        "nodes": [{"name": "__start__", "type": "DefaultNode"},
            {"name": "tell", "type": "WhatsappTemplateNode", "prompt": "Tell them.", "whatsapp_template": template},
            {"name": "__end__", "type": "DefaultNode"}],
        "edges": [{"from": "__start__", "to": "tell"}, {"from": "tell", "to": "__end__", "label": "done"}]});
    let agent = app.agent(json!({"name": "Desk", "graph": graph})).await;
    let link = json!({"agent_whatsapp_config": {"whatsapp_config_id": config}});
    app.post(&format!("/api/v1/agents/{agent}/agent_whatsapp_configs"), link).await.data();
    agent
}

/// Ana writes; the agent sends its template with these parameters and then a text.
async fn play(app: &TestApp, name: &str, parameters: Value) {
    let call = json!({"template_name": name, "phone_number": "+999", "template_parameters": parameters});
    app.model().calls(&[("SendWhatsappTemplateMessage", call)]);
    app.model().says("Told.");
    let inbound = json!({"phone_number_id": OWN_NUMBER_ID, "from": ANA, "text": "where is it?"});
    app.emulator_call(Method::POST, "/inbound", Some(inbound)).await;
    app.run_until_idle().await;
    app.forward(Span::from_secs(2)).await;
}

async fn shown(app: &TestApp) -> Vec<Value> {
    let chat = app.chat_with(OWN_NUMBER_ID, ANA).await;
    chat.into_iter().filter(|message| message["direction"] == "out" && message["type"] == "template").collect()
}

#[tokio::test]
async fn template_id_sets_language_and_parameter_format() {
    let (app, config) = connected().await;
    sync(&app).await;
    let id = synced(&app, "order_update_named", "pt_BR").await;
    let template = json!({"template_name": "the order", "whatsapp_template_id": id, "whatsapp_config_id": config,
        "template_parameters": {"customer_name": "#{name}", "order_id": "A-17"}});
    with_template(&app, &config, template).await;
    play(&app, "the order", json!({"customer_name": "Ana"})).await;
    let chat = shown(&app).await;
    assert_eq!(chat.len(), 1, "{chat:?}");
    assert_eq!(chat[0]["content"]["rendered"]["body"], "Oi Ana, o pedido A-17 saiu para entrega hoje.");
    let messages = app.messages().await;
    assert!(messages.iter().any(|message| message["content"] == "Oi Ana, o pedido A-17 saiu para entrega hoje."));
}

#[tokio::test]
async fn unique_template_name_is_sufficient() {
    let (app, config) = connected().await;
    sync(&app).await;
    let template =
        json!({"template_name": "order_update_named", "template_parameters": {"customer_name": "", "order_id": ""}});
    with_template(&app, &config, template).await;
    play(&app, "order_update_named", json!({"customer_name": "Ana", "order_id": "A-17"})).await;
    assert_eq!(shown(&app).await[0]["content"]["rendered"]["language"], "pt_BR");
}

#[tokio::test]
async fn unsendable_template_is_reported_to_the_model() {
    let (app, config) = connected().await;
    sync(&app).await;
    let id = synced(&app, "promo_paused", "pt_BR").await;
    let template = json!({"template_name": "promo", "whatsapp_template_id": id, "template_parameters": {}});
    with_template(&app, &config, template).await;
    play(&app, "promo", json!({})).await;
    assert!(shown(&app).await.is_empty());
    let result = app.model().last_texts("tool").join("\n");
    assert!(result.contains("template_not_approved"), "{result}");
}

#[tokio::test]
async fn wrong_template_parameters_are_reported_to_the_model() {
    let (app, config) = connected().await;
    sync(&app).await;
    let id = synced(&app, "order_update", "pt_BR").await;
    let template = json!({"template_name": "order", "whatsapp_template_id": id, "template_parameters": {"1": ""}});
    with_template(&app, &config, template).await;
    play(&app, "order", json!({"1": "Ana"})).await;
    assert!(shown(&app).await.is_empty());
    let result = app.model().last_texts("tool").join("\n");
    assert!(result.contains("Template requires 2 parameters, but 1 were provided"), "{result}");
}

#[tokio::test]
async fn template_unknown_locally_is_sent_as_the_agent_wrote_it() {
    let (app, config) = connected().await;
    let other = "0197a1b2-0000-7000-8000-000000000001";
    let template = json!({"template_name": "hello_world", "whatsapp_template_id": other, "template_parameters": {}});
    with_template(&app, &config, template).await;
    play(&app, "hello_world", json!({})).await;
    assert_eq!(shown(&app).await[0]["content"]["rendered"]["name"], "hello_world");
}
