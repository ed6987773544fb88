//! Status changes and resumes through the API, and sends by agents of version 1 (S13, S15, S16,
//! S19).

use domain::Span;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{ANA, Answer, TestApp};

async fn set(app: &TestApp, agent: &str, status: &str) -> Answer {
    let id = app.execution(agent).await["id"].as_str().unwrap().to_owned();
    let body = json!({"agent_execution": {"status": status}});
    app.call(Method::PUT, &format!("/api/v1/agents/{agent}/executions/{id}"), Some(body)).await
}

async fn desk(app: &TestApp) -> String {
    let agent = app.agent(json!({"name": "Desk"})).await;
    app.activate(ANA, &agent).await;
    agent
}

#[tokio::test]
async fn s15_stop_does_not_wait_for_the_model_and_the_next_message_starts_an_execution() {
    let app = TestApp::start().await;
    let agent = desk(&app).await;
    app.model().says_when_released("too late");
    app.contact_sends(ANA, "x").await;
    let stopped = async {
        app.model().received(1).await;
        assert_eq!(set(&app, &agent, "stopped").await.status, 200);
    };
    // The model never answers; the turn ends anyway.
    tokio::join!(app.run_until_idle(), stopped);
    app.run_until_idle().await;
    assert_eq!(app.execution(&agent).await["status"], "stopped");
    assert!(app.received_texts(ANA).await.is_empty());
    app.model().says("hello again");
    app.contact_sends(ANA, "y").await;
    app.run_until_idle().await;
    assert_eq!(app.received_texts(ANA).await, ["hello again"]);
    let list = app.get(&format!("/api/v1/agents/{agent}/executions")).await;
    assert_eq!(list.data().as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn forbidden_status_changes_are_refused() {
    let app = TestApp::start().await;
    let agent = desk(&app).await;
    app.model().says("?");
    app.contact_sends(ANA, "x").await;
    app.run_until_idle().await;
    for status in ["running", "started", "paused"] {
        let refused = set(&app, &agent, status).await;
        assert_eq!((refused.status, refused.body["code"].as_str()), (422, Some("invalid_transition")), "{status}");
    }
    assert_eq!(set(&app, &agent, "sleeping").await.status, 422);
    assert_eq!(set(&app, &agent, "handoff").await.status, 200);
    app.run_until_idle().await;
    assert_eq!(app.execution(&agent).await["status"], "handoff");
    assert_eq!(set(&app, &agent, "ended").await.status, 200);
    app.run_until_idle().await;
    let ended = app.execution(&agent).await;
    assert_eq!((ended["status"].as_str(), ended["end_reason"].as_str()), (Some("ended"), Some("set_by_api")));
    assert_eq!(set(&app, &agent, "stopped").await.status, 422);
}

#[tokio::test]
async fn changing_a_waiting_execution_returns_its_new_state() {
    let app = TestApp::start().await;
    let agent = desk(&app).await;
    app.model().says("?");
    app.contact_sends(ANA, "x").await;
    app.run_until_idle().await;
    app.clock.forward(Span::from_secs(90));
    let handed_over = set(&app, &agent, "handoff").await;
    assert_eq!((&handed_over.data()["status"], &handed_over.data()["ended_at"]), (&json!("handoff"), &Value::Null));
    let ended = set(&app, &agent, "ended").await;
    let field = |name: &str| ended.data()[name].clone();
    assert_eq!(
        (field("status"), field("end_reason"), field("duration")),
        (json!("ended"), json!("set_by_api"), json!(90))
    );
    app.run_until_idle().await;
    assert_eq!(&app.execution(&agent).await, ended.data(), "and no work is due");
}

#[tokio::test]
async fn changing_a_claimed_execution_returns_its_old_state() {
    let app = TestApp::start().await;
    let agent = desk(&app).await;
    app.model().says_when_released("too late");
    app.contact_sends(ANA, "x").await;
    let stopped = async {
        app.model().received(1).await;
        let answer = set(&app, &agent, "stopped").await;
        assert_eq!((&answer.data()["status"], &answer.data()["ended_at"]), (&json!("running"), &Value::Null));
    };
    tokio::join!(app.run_until_idle(), stopped);
    assert_eq!(app.execution(&agent).await["status"], "stopped");
}

#[tokio::test]
async fn resume_may_name_the_interrupt() {
    let app = TestApp::start().await;
    let agent = desk(&app).await;
    app.model().says("first?");
    app.contact_sends(ANA, "x").await;
    app.run_until_idle().await;
    let id = app.execution(&agent).await["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/agents/{agent}/executions/{id}");
    let shown = app.get(&path).await;
    let rest = &shown.data()["interrupt"];
    assert_eq!((rest["kind"].as_str(), rest["node"].as_str()), (Some("wait"), Some("assistant")));
    assert!(rest["expires_at"].is_string());
    let resume = |interrupt: Value| json!({"message": "by the API", "interrupt_id": interrupt});
    let refused = app.post(&format!("{path}/resume"), resume(json!("interrupt_999"))).await;
    assert_eq!((refused.status, refused.body["code"].as_str()), (409, Some("interrupt_mismatch")));
    app.model().says("second?");
    assert_eq!(app.post(&format!("{path}/resume"), resume(rest["id"].clone())).await.status, 200);
    app.run_until_idle().await;
    assert_eq!(app.received_texts(ANA).await, ["first?", "second?"]);
    assert!(app.model().last_texts("user").contains(&"by the API".to_owned()));
}

#[tokio::test]
async fn agent_version_1_sends_questions_media_and_templates_by_tools() {
    let app = TestApp::with(true, |config| config.egress_allow = vec!["127.0.0.1/32".parse().unwrap()]).await;
    let template = json!({"name": "t", "template_name": "order_update", "wait_for_response": true,
        "template_parameters": {"1": "#{name}", "2": "#{order}"}, "language": "pt_BR"});
    let graph = json!({
        "nodes": [{"name": "__start__"},
            {"name": "s", "type": "SubagentNode", "subagent": {"whatsapp_templates": [template]}}, {"name": "__end__"}],
        "edges": [{"from": "__start__", "to": "s"}, {"from": "s", "to": "__end__", "label": "done"}]});
    let agent = app.agent(json!({"name": "Shop", "agent_version": 1, "graph": graph})).await;
    app.activate(ANA, &agent).await;
    let media = |url: &str| ("send_media_message", json!({"media_url": url, "media_type": "image", "caption": "Look"}));
    app.model().calls(&[
        media("https://evil.example/x.png"),
        media("https://127.0.0.1/x.png"),
        media("https://10.0.0.1/x.png"),
        ("AskUserForInput", json!({"message": "Which one?"})),
    ]);
    app.contact_sends(ANA, "send me https://evil.example/x.png").await;
    app.run_until_idle().await;
    // The text after the picture waits for the picture's status.
    app.forward(Span::from_secs(1)).await;
    app.model().calls(&[(
        "SendWhatsappTemplateMessage",
        json!({"template_name": "order_update", "phone_number": "+999", "template_parameters": {"1": "Ana", "2": "A-17"}}),
    )]);
    app.contact_sends(ANA, "the first").await;
    app.run_until_idle().await;
    let results = app.model().last_texts("tool");
    let results = &results[results.len() - 4..];
    assert!(results[0].contains("media_url_untrusted") && results[1].contains("\"status\":\"sent\""), "{results:?}");
    assert!(results[2].contains("blocked_address"), "{results:?}");
    assert_eq!(results[3], "{\"text\":\"the first\"}");
    let sent: Vec<Value> = app.chat(ANA).await.into_iter().filter(|message| message["direction"] == "out").collect();
    let [.., image, asked, template] = &sent[..] else { panic!("{sent:#?}") };
    assert_eq!(image["content"], json!({"link": "https://127.0.0.1/x.png", "caption": "Look"}));
    assert_eq!(asked["content"]["body"], "Which one?");
    assert_eq!(
        (&template["content"]["name"], &template["content"]["language"]),
        (&json!("order_update"), &json!({"code": "pt_BR"}))
    );
    assert_eq!(app.execution(&agent).await["status"], "paused");
    app.model().calls(&[("MoveToNextNode", json!({"next_node": "end", "reason": "done"}))]);
    app.contact_sends(ANA, "ok").await;
    app.run_until_idle().await;
    assert_eq!(app.execution(&agent).await["status"], "ended");
    app.forward(Span::from_mins(1)).await;
}
