//! Texts outside of the service window: refused, or carried by an approved template.

use super::*;
use domain::Span;
use testkit::{ANA, OWN_NUMBER_ID};

const NAME: &str = "news";

/// Approves a template whose body has this text.
async fn carrier(app: &TestApp, name: &str, body: &str, example: Value) {
    let body = json!({"type": "BODY", "text": body, "example": {"body_text": [example]}});
    let template = json!({"name": name, "language_code": "en_US", "category": "UTILITY", "components": [body]});
    let created = app.post(TEMPLATES, json!({ "template": template })).await;
    assert_eq!(created.status, 201, "{}", created.body);
    assert_eq!(submit(app, &created.id()).await.status, 200);
    app.forward(Span::from_secs(1)).await;
}

async fn writes(app: &TestApp, text: &str) {
    let inbound = json!({"phone_number_id": OWN_NUMBER_ID, "from": ANA, "text": text});
    app.emulator_call(Method::POST, "/inbound", Some(inbound)).await;
}

async fn shown(app: &TestApp) -> Vec<Value> {
    let chat = app.chat_with(OWN_NUMBER_ID, ANA).await;
    chat.into_iter().filter(|message| message["direction"] == "out").collect()
}

/// An agent that answers only when the window is closed; with this setting.
async fn late_answer(app: &TestApp, config: &str, limits: Value, text: &str) -> String {
    let agent = app.agent(json!({"name": "Desk", "limits": limits})).await;
    let link = json!({"agent_whatsapp_config": {"whatsapp_config_id": config}});
    app.post(&format!("/api/v1/agents/{agent}/agent_whatsapp_configs"), link).await.data();
    app.model().says_when_released(text);
    writes(app, "where is it?").await;
    let late = async {
        app.model().received(1).await;
        app.clock.forward(Span::from_hours(25));
        app.model().release();
    };
    tokio::join!(app.run_until_idle(), late);
    app.forward(Span::from_secs(2)).await;
    agent
}

#[tokio::test]
async fn late_answer_of_an_agent_is_carried_by_its_template() {
    let (app, config) = connected().await;
    carrier(&app, NAME, "News for you: {{1}} Reply to talk to us.", json!(["It is here."])).await;
    let limits = json!({"outside_window_template": {"name": NAME}});
    let agent = late_answer(&app, &config, limits.clone(), "It arrived.\n\nCome and\tget it.").await;
    let chat = shown(&app).await;
    let text = "News for you: It arrived. Come and get it. Reply to talk to us.";
    assert_eq!((chat.len(), &chat[0]["content"]["rendered"]["body"]), (1, &json!(text)), "{chat:?}");
    let message = app.messages().await.into_iter().find(|message| message["direction"] == "outbound").unwrap();
    assert_eq!((&message["message_type"], &message["content"]), (&json!("template"), &json!(text)));
    assert_eq!(app.get(&format!("/api/v1/agents/{agent}/graph")).await.data()["limits"], limits);
    assert_eq!(app.execution(&agent).await["status"], "paused", "the agent waits as after each answer");
}

#[tokio::test]
async fn late_answer_without_a_template_is_refused() {
    let (app, config) = connected().await;
    late_answer(&app, &config, json!({}), "It arrived.").await;
    assert_eq!(shown(&app).await, Vec::<Value>::new());
}

#[tokio::test]
async fn late_text_of_the_api_is_carried_by_the_template_of_the_call() {
    let (app, _) = connected().await;
    carrier(&app, NAME, "News for you: {{1}} Reply to talk to us.", json!(["It is here."])).await;
    carrier(&app, "two", "Dear {{1}}, {{2}} Reply to talk to us.", json!(["Ana", "it is here."])).await;
    writes(&app, "hi").await;
    app.run_until_idle().await;
    let path = format!("/api/v1/whatsapp_conversations/{}/whatsapp_messages", app.conversation().await);
    let send = async |text: &str, template: Option<Value>| {
        let mut message = json!({ "content": text });
        if let Some(template) = template {
            message["outside_window_template"] = template;
        }
        app.post(&path, json!({ "message": message })).await
    };
    // As long as the window is open, the text leaves as it is.
    let sent = send("soon\nthere", Some(json!({"name": NAME}))).await;
    assert_eq!((&sent.data()["message_type"], &sent.data()["content"]), (&json!("text"), &json!("soon\nthere")));
    app.run_until_idle().await;
    app.forward(Span::from_hours(25)).await;
    for (template, code) in [
        (None, "outside_service_window"),
        (Some(json!({"name": "nowhere"})), "template_unknown"),
        (Some(json!({"name": NAME, "language": "pt_BR"})), "template_unknown"),
        (Some(json!({"name": "two"})), "template_parameters_invalid"),
        (Some(json!({"name": "hello_world"})), "template_unknown"),
    ] {
        let refused = send("anyone?", template.clone()).await;
        assert_eq!((refused.status, &refused.body["code"]), (422, &json!(code)), "{template:?}: {}", refused.body);
    }
    let long = send(&"long ".repeat(300), Some(json!({"name": NAME}))).await;
    assert_eq!(long.body["code"], "template_parameters_invalid", "nothing is cut off: {}", long.body);
    let invalid = send("x", Some(json!({"name": ""}))).await;
    assert_eq!((invalid.status, detail(&invalid).0), (422, "/message/outside_window_template/name"));
    let sent = send("here\nnow", Some(json!({"name": NAME, "language": "en_US"}))).await;
    let text = "News for you: here now Reply to talk to us.";
    assert_eq!((&sent.data()["message_type"], &sent.data()["content"]), (&json!("template"), &json!(text)));
    app.run_until_idle().await;
    let chat = shown(&app).await;
    assert_eq!((chat.len(), &chat[1]["content"]["rendered"]["body"]), (2, &json!(text)));
}
